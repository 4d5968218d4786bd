// Package fair quantifies risk: it takes scenarios as trees of Open FAIR factors and
// gives the distribution of the loss of a year.
//
// # Scenarios
//
// A [Scenario] has a frequency and losses. The frequency is a law of the number of loss
// events ([LossEvents] of a [Freq]), or comes from threat events ([FromThreats]), contacts
// ([FromContacts]), threat capability and resistance strength ([FromCapability]), or
// from another scenario ([Triggered]). Losses are [PrimaryLoss] or [SecondaryLoss] of one
// of the six forms. All uncertain numbers are a [Dist]: [PERT], [LognormalInterval],
// [Metalog] and others, or a type of the caller.
//
// # A year
//
// Rates, probabilities of action, given susceptibilities and the effects of controls are
// drawn once a year; threat capability against resistance strength, every magnitude, and
// whether a secondary loss occurs, once an event. The losses of an event add up, then the
// cover per event applies, the events of a year add up, then the cover per year. Years
// without an event have the loss 0, and are most of the years where the frequency is low.
//
// # Results
//
// [Simulate] returns a [Result]: [Result.Mean], [Result.VaR], [Result.TVaR],
// [Result.Exceed] and [Result.Curve] are each an [Estimate] with its confidence interval;
// [Result.Contributions] says whose losses make the bad years. [Analytic] computes the same
// without random numbers where it can, for rare events and as a check. [Compare] sets two
// portfolios against each other year by year, [BestSet] picks controls for a budget,
// [Tornado] and [Sobol] say which input matters to the mean, [TornadoVaR] and
// [SobolSampled] to any measure.
//
// # The same bits
//
// Random numbers are named by seed, scenario, factor and block of 4,096 years, and
// results are sums of integers. So a run has the same bits for any number of workers and on
// every architecture, and shards ([Options].Shard) that were simulated apart merge
// ([Result.Merge]) to the bits of the whole run. Adding a scenario leaves the draws of the
// others alone. [EngineVersion] and [Result.Digest] say what a number came from;
// [Portfolio.Digest] names the model without a seed.
//
// # Errors
//
// Constructors and functions refuse what has no meaning: all problems at once, as
// [Problems], each of which wraps [ErrInvalid].
package fair
