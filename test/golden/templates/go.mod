module holdfast.dev/test/golden/templates

go 1.26
