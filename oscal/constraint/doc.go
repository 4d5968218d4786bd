// Package constraint evaluates Metaschema constraints on OSCAL documents: those
// built in to the models and external sets such as FedRAMP's, and Metapath, the
// path language that they are written in.
package constraint
