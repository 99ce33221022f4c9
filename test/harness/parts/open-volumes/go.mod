module holdfast.dev/harness/open-volumes

go 1.26
