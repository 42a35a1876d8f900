//! Simple types: texts, with what their characters must be.

use super::{
    super::{
        RuleId, Types,
        draft::{Draft, NoPattern},
        rule::{Count, DecimalForm, DecimalRule, NumberRule, Rule, TextRule},
    },
    Kind, Part, Reader,
    text::{self, shown},
};

/// Facets that are read, and `whiteSpace`, which says nothing of a text as it is written.
const FACETS: [&str; 12] = [
    "length",
    "minLength",
    "maxLength",
    "pattern",
    "enumeration",
    "whiteSpace",
    "minInclusive",
    "maxInclusive",
    "minExclusive",
    "maxExclusive",
    "totalDigits",
    "fractionDigits",
];

/// Patterns of built-in types (XML Schema Part 2, §3.2), each with the types that have it.
const ZONE: &str = "(?:Z|[+-][0-9]{2}:[0-9]{2})?";
const PATTERNS: [(&str, &str); 10] = [
    ("boolean", "true|false|1|0"),
    ("date", "-?[0-9]{4,}-[0-9]{2}-[0-9]{2}ZONE"),
    ("dateTime", "-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?ZONE"),
    ("time", "[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\\.[0-9]+)?ZONE"),
    ("gYear", "-?[0-9]{4,}ZONE"),
    ("gYearMonth", "-?[0-9]{4,}-[0-9]{2}ZONE"),
    ("gMonth", "--[0-9]{2}ZONE"),
    ("gMonthDay", "--[0-9]{2}-[0-9]{2}ZONE"),
    ("gDay", "---[0-9]{2}ZONE"),
    ("hexBinary", "(?:[0-9a-fA-F]{2})*"),
];

/// Built-in types that are texts of any characters here.
const TEXTS: [&str; 20] = [
    "anySimpleType",
    "string",
    "normalizedString",
    "token",
    "language",
    "NMTOKEN",
    "NMTOKENS",
    "Name",
    "NCName",
    "ID",
    "IDREF",
    "IDREFS",
    "ENTITY",
    "ENTITIES",
    "anyURI",
    "QName",
    "NOTATION",
    "base64Binary",
    "duration",
    "untypedAtomic",
];

/// Whole numbers and their bounds.
const WHOLE: [(&str, Option<&str>, Option<&str>); 13] = [
    ("integer", None, None),
    ("nonPositiveInteger", None, Some("0")),
    ("negativeInteger", None, Some("-1")),
    ("nonNegativeInteger", Some("0"), None),
    ("positiveInteger", Some("1"), None),
    ("long", Some("-9223372036854775808"), Some("9223372036854775807")),
    ("int", Some("-2147483648"), Some("2147483647")),
    ("short", Some("-32768"), Some("32767")),
    ("byte", Some("-128"), Some("127")),
    ("unsignedLong", Some("0"), Some("18446744073709551615")),
    ("unsignedInt", Some("0"), Some("4294967295")),
    ("unsignedShort", Some("0"), Some("65535")),
    ("unsignedByte", Some("0"), Some("255")),
];

/// What kind of texts a simple type has, for its facets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Primitive {
    Number,
    Text,
    /// Lists, unions, binary: a length is not that of the text.
    Other,
}

pub(super) fn is_facet(name: &str) -> bool {
    FACETS.contains(&name)
}

/// The rule of a built-in type.
pub(super) fn builtin(draft: &mut Draft, name: &str) -> Option<Rule> {
    if name == "anyType" {
        return Some(Rule::default());
    }
    let mut text = TextRule::default();
    let whole = WHOLE.iter().find(|(whole, ..)| *whole == name);
    if let Some((_, min, max)) = whole {
        let owned = |bound: &Option<&str>| bound.map(str::to_owned);
        let bounds = NumberRule { minimum: owned(min), maximum: owned(max), ..NumberRule::default() };
        text.decimal = Some(Box::new(DecimalRule { bounds, fraction_digits: Some(0), ..DecimalRule::default() }));
    } else if name == "decimal" {
        text.decimal = Some(Box::default());
    } else if matches!(name, "float" | "double") {
        text.decimal = Some(Box::new(DecimalRule { form: DecimalForm::Float, ..DecimalRule::default() }));
    } else if let Some((_, pattern)) = PATTERNS.iter().find(|(with, _)| *with == name) {
        text.pattern = draft.pattern(&format!("^(?:{})$", pattern.replace("ZONE", ZONE))).ok();
    } else if !TEXTS.contains(&name) {
        return None;
    }
    text.is_base64 = name == "base64Binary";
    Some(Rule { types: Types::STRING, text, ..Rule::default() })
}

impl<'d> Reader<'d> {
    /// The rule of a simple type.
    pub(super) fn simple(&mut self, part: Part<'d>, depth: usize) -> RuleId {
        let any_text = Rule { types: Types::STRING, ..Rule::default() };
        let Some(step) = part.children().next() else {
            self.problem(part, "LG-TYPE-VALUE", "a simple type says nothing", "add `xs:restriction`");
            return self.draft.add(any_text);
        };
        match step.name() {
            "restriction" => {
                let base = match step.child("simpleType") {
                    Some(inner) => Some(self.type_of(inner, depth + 1)),
                    None => self.named_type(step, "base", depth),
                };
                let base = base.unwrap_or_else(|| self.draft.add(any_text));
                self.restricted(step, base)
            }
            // As text: what the items or the members are is not looked into.
            "list" | "union" => self.draft.add(any_text),
            name => {
                self.later(step, &format!("`xs:{}`", shown(name)));
                self.draft.add(any_text)
            }
        }
    }

    /// A rule with the facets of a restriction.
    pub(super) fn restricted(&mut self, step: Part<'d>, base: RuleId) -> RuleId {
        let primitive = self.primitive(step, 0);
        let mut rule = Rule { reference: Some(base), ..Rule::default() };
        let mut decimal = DecimalRule::default();
        let (mut named, mut patterns) = (Vec::new(), Vec::new());
        for facet in step.children().filter(|child| is_facet(child.name())) {
            let value = facet.attribute("value").unwrap_or_default();
            match facet.name() {
                "enumeration" => named.push(value),
                "pattern" => patterns.push(facet),
                "whiteSpace" => {}
                "length" | "minLength" | "maxLength" if primitive == Primitive::Other => {
                    self.later(facet, &format!("`xs:{}` of a list, a union or bytes", facet.name()));
                }
                "length" => rule.text.length = self.digits(facet).map_or_else(Count::default, exactly),
                "minLength" => rule.text.length.min = self.digits(facet).unwrap_or(0),
                "maxLength" => rule.text.length.max = self.digits(facet),
                name if primitive != Primitive::Number => {
                    self.later(facet, &format!("`xs:{name}` of what is no number"))
                }
                "minInclusive" => decimal.bounds.minimum = self.bound(facet),
                "maxInclusive" => decimal.bounds.maximum = self.bound(facet),
                "minExclusive" => decimal.bounds.above = self.bound(facet),
                "maxExclusive" => decimal.bounds.below = self.bound(facet),
                "totalDigits" => decimal.total_digits = self.digits(facet),
                _ => decimal.fraction_digits = self.digits(facet),
            }
        }
        if !named.is_empty() {
            rule.allowed.push(self.draft.texts(named));
        }
        rule.text.pattern = self.patterns(&patterns);
        if decimal != DecimalRule::default() {
            decimal.form = DecimalForm::Told;
            rule.text.decimal = Some(Box::new(decimal));
        }
        self.draft.add(rule)
    }

    /// Several patterns of one step: one of them is enough.
    fn patterns(&mut self, facets: &[Part<'d>]) -> Option<crate::pattern::Pattern> {
        let mut all = Vec::new();
        for facet in facets {
            let source = facet.attribute("value").unwrap_or_default();
            match text::pattern(source) {
                Ok(pattern) => all.push(pattern),
                Err(what) => {
                    self.later(*facet, &format!("in a pattern {what}"));
                    return None;
                }
            }
        }
        let first = facets.first()?;
        match self.draft.pattern(&all.join("|")) {
            Ok(pattern) => return Some(pattern),
            Err(NoPattern::Wrong(wrong)) => {
                self.problem(*first, "LG-TYPE-PATTERN", wrong.message, "see XML Schema Part 2, appendix F");
            }
            Err(NoPattern::TooMany) => {
                let message = format!("a type has at most {} regular expressions", super::super::PATTERNS_MAX);
                self.problem(*first, "LG-TYPE-SIZE", message, "split the type");
            }
        }
        None
    }

    fn digits(&mut self, facet: Part<'d>) -> Option<u64> {
        let number = facet.attribute("value").and_then(|value| value.trim().parse().ok());
        if number.is_none() {
            self.problem(facet, "LG-TYPE-VALUE", "`value` is a whole number from 0 up", "write digits alone");
        }
        number
    }

    fn bound(&mut self, facet: Part<'d>) -> Option<String> {
        let value = facet.attribute("value").unwrap_or_default().trim();
        if !super::super::decimal::is_text_of_number(value, true) {
            self.problem(facet, "LG-TYPE-VALUE", "`value` is a number", "write it in digits");
            return None;
        }
        Some(value.trim_start_matches('+').to_owned())
    }

    /// From which kind of built-in type a restriction is made, over all steps.
    fn primitive(&self, step: Part<'d>, depth: usize) -> Primitive {
        let Some(written) = step.attribute("base") else {
            return match step.child("simpleType").and_then(|inner| inner.children().next()) {
                Some(inner) if inner.is("restriction") && depth < super::DEPTH_MAX => self.primitive(inner, depth + 1),
                _ => Primitive::Other,
            };
        };
        if let Some(builtin) = self.documents.builtin(step, written) {
            return match builtin {
                "decimal" | "float" | "double" => Primitive::Number,
                name if WHOLE.iter().any(|(whole, ..)| *whole == name) => Primitive::Number,
                "NMTOKENS" | "IDREFS" | "ENTITIES" | "hexBinary" | "base64Binary" => Primitive::Other,
                _ => Primitive::Text,
            };
        }
        let found = self.documents.resolve(step, written).and_then(|name| self.documents.get(Kind::Type, &name));
        let Some(found) = found.filter(|_| depth < super::DEPTH_MAX) else { return Primitive::Other };
        // A complex type with simple content hands its base on.
        let inner = match found.is("complexType") {
            true => found.child("simpleContent").and_then(|content| content.children().next()),
            false => found.children().next(),
        };
        match inner {
            Some(inner) if inner.is("restriction") || inner.is("extension") => self.primitive(inner, depth + 1),
            _ => Primitive::Other,
        }
    }
}

fn exactly(count: u64) -> Count {
    Count { min: count, max: Some(count) }
}
