package oscal

//go:generate go run github.com/issokit/issokit/internal/gen/oscaltables -modules ${ISSOKIT_CORPUS}/oscal/metaschema-1.2.2 -out tables.go
//go:generate go run github.com/issokit/issokit/internal/gen/oscalsince -out since.go
