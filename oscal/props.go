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
	PropContractStart       = "contract-start"       // component: date
	PropContract            = "contract"             // component: stable ID of the contract of the engagement
	PropSupports            = "supports"             // component: a function or component that the engagement supports
	PropRequested           = "requested"            // component: date on which the engagement was proposed
	PropExitPlanTested      = "exit-plan-tested"     // component: date of the last test of the exit plan
	PropSubprocessorOf      = "subprocessor-of"      // component: stable ID of the engagement that it is a subcontract of
	PropCustomer            = "customer"             // component: stable ID of the vendor that the subcontract supplies
	PropContactRole         = "contact-role"         // party: what to ask the person about
	PropTelephone           = "telephone-number"     // party: its first telephone number as it was given, where OSCAL wants other writing
	PropResponsibility      = "responsibility"       // by-component: who does it
	PropInherited           = "inherited"            // by-component: yes or no
	PropCoverage            = "coverage"             // result: fraction assessed
	PropDetermination       = "determination"        // finding: how the verdict was reached
	PropDefinition          = "definition"           // component: UUID of the component in its component definition
	PropUnanswered          = "unanswered"           // by-component: yes, it stands for the answer that nobody gives
	PropAssessmentFrequency = "assessment-frequency" // task

	// What package risk needs to write a risk of its own without loss.
	PropParent         = "parent"          // risk: node of the hierarchy that it counts under
	PropThreatSource   = "threat-source"   // risk: threat source
	PropAsset          = "asset"           // risk: affected asset
	PropControl        = "control"         // risk, characterization, response: affected, counted or strengthened control
	PropClosure        = "closure"         // risk: why it is closed
	PropClosedBy       = "closed-by"       // risk: who closed it
	PropClosedAt       = "closed-at"       // risk: when
	PropConfirmedBy    = "confirmed-by"    // risk: who confirmed a false positive
	PropEvidence       = "evidence"        // risk, log entry: what shows it
	PropStage          = "stage"           // characterization: inherent, current, residual
	PropSystem         = "system"          // characterization: URI of the scale of its level
	PropMethodVersion  = "method-version"  // characterization: version of the method
	PropAssessedAt     = "assessed-at"     // characterization: when
	PropBasis          = "basis"           // characterization: digest of method, tables and inputs
	PropUnrated        = "unrated"         // characterization: it has no level
	PropDerived        = "derived"         // facet: repeats the level for readers of other systems
	PropAnnualLoss     = "annual-loss"     // facet: yes, it is part of the assessment in annual loss
	PropProbability    = "probability"     // facet: of a quantile or an exceedance
	PropLower          = "lower"           // facet: lower end of an interval
	PropUpper          = "upper"           // facet: upper end of an interval
	PropConfidence     = "confidence"      // facet: of the interval
	PropLifecycle      = "lifecycle"       // risk response: where OSCAL has no word for it
	PropCost           = "cost-planned"    // risk response: amount in units of the currency
	PropSpent          = "cost-actual"     // risk response: amount in units of the currency
	PropCompletedAt    = "completed-at"    // task: when it was done
	PropAcceptance     = "acceptance"      // risk response: it is a request for acceptance, and what was decided
	PropRequestedBy    = "requested-by"    // risk response: who asks for acceptance
	PropRequestedAt    = "requested-at"    // risk response: when
	PropDecidedBy      = "decided-by"      // risk response: who decided
	PropDecidedAt      = "decided-at"      // risk response: when
	PropExpires        = "expires"         // risk response: first instant at which an acceptance is not in force
	PropAcceptedDigest = "accepted-digest" // risk response: digest of the assessment that was accepted
	PropLevel          = "level"           // risk response: level of the risk that was accepted
	PropEvent          = "event"           // log entry: event of the life cycle
	PropFrom           = "from"            // log entry: state before
	PropTo             = "to"              // log entry: state after
	PropBy             = "by"              // log entry: who
	PropSample         = "sample"          // assessment subject: size, population, rule and seed of the sample
)
