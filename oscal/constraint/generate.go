package constraint

//go:generate go run github.com/issokit/issokit/internal/gen/oscaltables -modules ${ISSOKIT_CORPUS}/oscal/metaschema-1.2.2 -constraints -out tables.go
