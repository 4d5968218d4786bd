package oscal

// Names of the props that the project writes under [Namespace]. One file holds
// them all, so that a name means one thing.
const (
	PropID                  = "id"                   // any object: the stable ID of the entity it was made from
	PropState               = "state"                // risk: the exact state of the life cycle
	PropCategory            = "category"             // risk: category for appetite and aggregation
	PropOwner               = "owner"                // risk: who answers for it
	PropScore               = "score"                // facet: the number that goes with a level
	PropExplanation         = "explanation"          // characterization: the arithmetic of a score, a line per step
	PropTreatment           = "treatment"            // risk response: mitigate, accept, avoid, transfer, share
	PropSeverity            = "severity"             // observation, POA&M item: critical, high, medium, low, informational
	PropOutcome             = "outcome"              // observation: outcome of a scanner record
	PropRawOutcome          = "raw-outcome"          // observation: the same in the tool's own words
	PropRawSeverity         = "raw-severity"         // observation: severity in the tool's own words
	PropRule                = "rule"                 // observation: id of the scanner's rule
	PropFingerprint         = "fingerprint"          // observation: identity given by the tool
	PropSuppressed          = "suppressed"           // observation: the tool's user suppressed the record
	PropLocation            = "location"             // observation: file, line and column
	PropDue                 = "due"                  // POA&M item: date by the severity policy
	PropFirstSeen           = "first-seen"           // POA&M item, observation: date of the first detection
	PropVendorTier          = "vendor-tier"          // component: computed tier of the engagement
	PropVendorExposure      = "vendor-exposure"      // component: one factor of the exposure (class names it)
	PropContractEnd         = "contract-end"         // component: date
	PropResponsibility      = "responsibility"       // by-component: who does it
	PropInherited           = "inherited"            // by-component: yes or no
	PropCoverage            = "coverage"             // result: fraction assessed
	PropDetermination       = "determination"        // finding: how the verdict was reached
	PropDefinition          = "definition"           // component: UUID of the component in its component definition
	PropUnanswered          = "unanswered"           // by-component: yes, it stands for the answer that nobody gives
	PropAssessmentFrequency = "assessment-frequency" // task
	PropSample              = "sample"               // assessment subject: size, population, rule and seed of the sample
	PropControl             = "control"              // risk: id of a control that it affects
)
