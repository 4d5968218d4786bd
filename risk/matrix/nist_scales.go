package matrix

// nistScales are the assessment scales of NIST SP 800-30 Rev. 1 (September 2012),
// appendices D to I, a work of the United States Government. Five-level scales
// carry the values and bins of nistValues; E-4 has none.
var nistScales = [...]AssessmentScale{
	{Table: "D-3", Title: "adversary capability", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "The adversary has very limited resources, expertise, and opportunities to support a successful attack."},
		{Name: "low", Score: new(2.0), Text: "The adversary has limited resources, expertise, and opportunities to support a successful attack."},
		{Name: "moderate", Score: new(5.0), Text: "The adversary has moderate resources, expertise, and opportunities to support multiple successful attacks."},
		{Name: "high", Score: new(8.0), Text: "The adversary has a sophisticated level of expertise, with significant resources and opportunities to support multiple successful coordinated attacks."},
		{Name: "very-high", Score: new(10.0), Text: "The adversary has a very sophisticated level of expertise, is well-resourced, and can generate opportunities to support multiple successful, continuous, and coordinated attacks."},
	}},
	{Table: "D-4", Title: "adversary intent", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "The adversary seeks to usurp, disrupt, or deface the organization's cyber resources, and does so without concern about attack detection/disclosure of tradecraft."},
		{Name: "low", Score: new(2.0), Text: "The adversary actively seeks to obtain critical or sensitive information or to usurp/disrupt the organization's cyber resources, and does so without concern about attack detection/disclosure of tradecraft."},
		{Name: "moderate", Score: new(5.0), Text: "The adversary seeks to obtain or modify specific critical or sensitive information or usurp/disrupt the organization's cyber resources by establishing a foothold in the organization's information systems or infrastructure. The adversary is concerned about minimizing attack detection/disclosure of tradecraft, particularly when carrying out attacks over long time periods. The adversary is willing to impede aspects of the organization's missions/business functions to achieve these ends."},
		{Name: "high", Score: new(8.0), Text: "The adversary seeks to undermine/impede critical aspects of a core mission or business function, program, or enterprise, or place itself in a position to do so in the future, by maintaining a presence in the organization's information systems or infrastructure. The adversary is very concerned about minimizing attack detection/disclosure of tradecraft, particularly while preparing for future attacks."},
		{Name: "very-high", Score: new(10.0), Text: "The adversary seeks to undermine, severely impede, or destroy a core mission or business function, program, or enterprise by exploiting a presence in the organization's information systems or infrastructure. The adversary is concerned about disclosure of tradecraft only to the extent that it would impede its ability to complete stated goals."},
	}},
	{Table: "D-5", Title: "adversary targeting", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "The adversary may or may not target any specific organizations or classes of organizations."},
		{Name: "low", Score: new(2.0), Text: "The adversary uses publicly available information to target a class of high-value organizations or information, and seeks targets of opportunity within that class."},
		{Name: "moderate", Score: new(5.0), Text: "The adversary analyzes publicly available information to target persistently specific high-value organizations (and key positions, such as Chief Information Officer), programs, or information."},
		{Name: "high", Score: new(8.0), Text: "The adversary analyzes information obtained via reconnaissance to target persistently a specific organization, enterprise, program, mission or business function, focusing on specific high-value or mission-critical information, resources, supply flows, or functions, specific employees supporting those functions, or key positions."},
		{Name: "very-high", Score: new(10.0), Text: "The adversary analyzes information obtained via reconnaissance and attacks to target persistently a specific organization, enterprise, program, mission or business function, focusing on specific high-value or mission-critical information, resources, supply flows, or functions; specific employees or positions; supporting infrastructure providers/suppliers; or partnering organizations."},
	}},
	{Table: "D-6", Title: "range of effects, non-adversarial threat sources", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "The effects of the error, accident, or act of nature are minimal, involving few if any of the cyber resources of the [Tier 3: information systems; Tier 2: mission/business processes or EA segments, common infrastructure, or support services; Tier 1: organization/governance structure], and involving no critical resources."},
		{Name: "low", Score: new(2.0), Text: "The effects of the error, accident, or act of nature are limited, involving some of the cyber resources of the [Tier 3: information systems; Tier 2: mission/business processes or EA segments, common infrastructure, or support services; Tier 1: organization/governance structure], but involving no critical resources."},
		{Name: "moderate", Score: new(5.0), Text: "The effects of the error, accident, or act of nature are wide-ranging, involving a significant portion of the cyber resources of the [Tier 3: information systems; Tier 2: mission/business processes or EA segments, common infrastructure, or support services; Tier 1: organization/governance structure], including some critical resources."},
		{Name: "high", Score: new(8.0), Text: "The effects of the error, accident, or act of nature are extensive, involving most of the cyber resources of the [Tier 3: information systems; Tier 2: mission/business processes or EA segments, common infrastructure, or support services; Tier 1: organization/governance structure], including many critical resources."},
		{Name: "very-high", Score: new(10.0), Text: "The effects of the error, accident, or act of nature are sweeping, involving almost all of the cyber resources of the [Tier 3: information systems; Tier 2: mission/business processes or EA segments, common infrastructure, or support services; Tier 1: organization/governance structure]."},
	}},
	{Table: "E-4", Title: "relevance of threat events", Levels: []Level{
		{Name: "na", Text: "The threat event or TTP is not currently applicable. For example, a threat event or TTP could assume specific technologies, architectures, or processes that are not present in the organization, mission/business process, EA segment, or information system; or predisposing conditions that are not present (e.g., location in a flood plain). Alternately, if the organization is using detailed or specific threat information, a threat event or TTP could be deemed inapplicable because information indicates that no adversary is expected to initiate the threat event or use the TTP."},
		{Name: "possible", Text: "The threat event or TTP has been described by a somewhat credible source."},
		{Name: "predicted", Text: "The threat event or TTP has been predicted by a trusted source."},
		{Name: "anticipated", Text: "The threat event or TTP has been reported by a trusted source."},
		{Name: "expected", Text: "The threat event or TTP has been seen by the organization's peers or partners."},
		{Name: "confirmed", Text: "The threat event or TTP has been seen by the organization."},
	}},
	{Table: "F-2", Title: "vulnerability severity", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "The vulnerability is not of concern. Relevant security control or other remediation is fully implemented, assessed, and effective."},
		{Name: "low", Score: new(2.0), Text: "The vulnerability is of minor concern, but effectiveness of remediation could be improved. Relevant security control or other remediation is fully implemented and somewhat effective."},
		{Name: "moderate", Score: new(5.0), Text: "The vulnerability is of moderate concern, based on the exposure of the vulnerability and ease of exploitation and/or on the severity of impacts that could result from its exploitation. Relevant security control or other remediation is partially implemented and somewhat effective."},
		{Name: "high", Score: new(8.0), Text: "The vulnerability is of high concern, based on the exposure of the vulnerability and ease of exploitation and/or on the severity of impacts that could result from its exploitation. Relevant security control or other remediation is planned but not implemented; compensating controls are in place and at least minimally effective."},
		{Name: "very-high", Score: new(10.0), Text: "The vulnerability is exposed and exploitable, and its exploitation could result in severe impacts. Relevant security control or other remediation is not implemented and not planned; or no security measure can be identified to remediate the vulnerability."},
	}},
	{Table: "F-5", Title: "pervasiveness of predisposing conditions", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "Applies to few organizational missions/business functions (Tier 1), mission/business processes (Tier 2), or information systems (Tier 3)"},
		{Name: "low", Score: new(2.0), Text: "Applies to some organizational missions/business functions (Tier 1), mission/business processes (Tier 2), or information systems (Tier 3)."},
		{Name: "moderate", Score: new(5.0), Text: "Applies to many organizational missions/business functions (Tier 1), mission/business processes (Tier 2), or information systems (Tier 3)."},
		{Name: "high", Score: new(8.0), Text: "Applies to most organizational missions/business functions (Tier 1), mission/business processes (Tier 2), or information systems (Tier 3)."},
		{Name: "very-high", Score: new(10.0), Text: "Applies to all organizational missions/business functions (Tier 1), mission/business processes (Tier 2), or information systems (Tier 3)."},
	}},
	{Table: "G-2", Title: "likelihood of threat event initiation, adversarial", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "Adversary is highly unlikely to initiate the threat event."},
		{Name: "low", Score: new(2.0), Text: "Adversary is unlikely to initiate the threat event."},
		{Name: "moderate", Score: new(5.0), Text: "Adversary is somewhat likely to initiate the threat event."},
		{Name: "high", Score: new(8.0), Text: "Adversary is highly likely to initiate the threat event."},
		{Name: "very-high", Score: new(10.0), Text: "Adversary is almost certain to initiate the threat event."},
	}},
	{Table: "G-3", Title: "likelihood of threat event occurrence, non-adversarial", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "Error, accident, or act of nature is highly unlikely to occur; or occurs less than once every 10 years."},
		{Name: "low", Score: new(2.0), Text: "Error, accident, or act of nature is unlikely to occur; or occurs less than once a year, but more than once every 10 years."},
		{Name: "moderate", Score: new(5.0), Text: "Error, accident, or act of nature is somewhat likely to occur; or occurs between 1-10 times a year."},
		{Name: "high", Score: new(8.0), Text: "Error, accident, or act of nature is highly likely to occur; or occurs between 10-100 times a year."},
		{Name: "very-high", Score: new(10.0), Text: "Error, accident, or act of nature is almost certain to occur; or occurs more than 100 times a year."},
	}},
	{Table: "G-4", Title: "likelihood of a threat event resulting in adverse impacts", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "If the threat event is initiated or occurs, it is highly unlikely to have adverse impacts."},
		{Name: "low", Score: new(2.0), Text: "If the threat event is initiated or occurs, it is unlikely to have adverse impacts."},
		{Name: "moderate", Score: new(5.0), Text: "If the threat event is initiated or occurs, it is somewhat likely to have adverse impacts."},
		{Name: "high", Score: new(8.0), Text: "If the threat event is initiated or occurs, it is highly likely to have adverse impacts."},
		{Name: "very-high", Score: new(10.0), Text: "If the threat event is initiated or occurs, it is almost certain to have adverse impacts."},
	}},
	{Table: "H-3", Title: "impact of threat events", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "The threat event could be expected to have a negligible adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation."},
		{Name: "low", Score: new(2.0), Text: "The threat event could be expected to have a limited adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation. A limited adverse effect means that, for example, the threat event might: (i) cause a degradation in mission capability to an extent and duration that the organization is able to perform its primary functions, but the effectiveness of the functions is noticeably reduced; (ii) result in minor damage to organizational assets; (iii) result in minor financial loss; or (iv) result in minor harm to individuals."},
		{Name: "moderate", Score: new(5.0), Text: "The threat event could be expected to have a serious adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation. A serious adverse effect means that, for example, the threat event might: (i) cause a significant degradation in mission capability to an extent and duration that the organization is able to perform its primary functions, but the effectiveness of the functions is significantly reduced; (ii) result in significant damage to organizational assets; (iii) result in significant financial loss; or (iv) result in significant harm to individuals that does not involve loss of life or serious life-threatening injuries."},
		{Name: "high", Score: new(8.0), Text: "The threat event could be expected to have a severe or catastrophic adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation. A severe or catastrophic adverse effect means that, for example, the threat event might: (i) cause a severe degradation in or loss of mission capability to an extent and duration that the organization is not able to perform one or more of its primary functions; (ii) result in major damage to organizational assets; (iii) result in major financial loss; or (iv) result in severe or catastrophic harm to individuals involving loss of life or serious life-threatening injuries."},
		{Name: "very-high", Score: new(10.0), Text: "The threat event could be expected to have multiple severe or catastrophic adverse effects on organizational operations, organizational assets, individuals, other organizations, or the Nation."},
	}},
	{Table: "I-3", Title: "level of risk", Levels: []Level{
		{Name: "very-low", Score: new(0.0), Text: "Very low risk means that a threat event could be expected to have a negligible adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation."},
		{Name: "low", Score: new(2.0), Text: "Low risk means that a threat event could be expected to have a limited adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation."},
		{Name: "moderate", Score: new(5.0), Text: "Moderate risk means that a threat event could be expected to have a serious adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation."},
		{Name: "high", Score: new(8.0), Text: "High risk means that a threat event could be expected to have a severe or catastrophic adverse effect on organizational operations, organizational assets, individuals, other organizations, or the Nation."},
		{Name: "very-high", Score: new(10.0), Text: "Very high risk means that a threat event could be expected to have multiple severe or catastrophic adverse effects on organizational operations, organizational assets, individuals, other organizations, or the Nation."},
	}},
}
