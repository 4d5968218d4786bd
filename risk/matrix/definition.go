package matrix

// A Level is one level of an axis or one outcome: its name, and what a reader
// or a chart needs.
type Level struct {
	Name  string
	Label string   // for people; default the name
	Color string   // e.g. "#d73027"
	Text  string   // description
	Score *float64 // number that goes with it, nil for none
}
