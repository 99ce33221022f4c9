module holdfast.dev/harness/pause

go 1.26
