package oscal

import "bufio"

func readYAML(b *binder) {}

type yamlWriter struct{ w *bufio.Writer }

func (y *yamlWriter) document(d *Document) {}
