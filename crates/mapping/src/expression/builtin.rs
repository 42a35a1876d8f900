//! The standard's built-in functions with their signatures, and the one that is refused for good.

use super::signature::{self, Signature};

macro_rules! builtins {
    ($($variant:ident $name:literal $signature:literal $arity:literal;)*) => {
        /// A built-in function that is compiled.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Builtin {
            $(#[doc = concat!("`$", $name, "`")] $variant,)*
        }
        impl Builtin {
            /// All of them.
            pub const ALL: &'static [Builtin] = &[$(Builtin::$variant,)*];
            /// Its name without the `$`.
            pub fn name(self) -> &'static str {
                match self { $(Builtin::$variant => $name,)* }
            }
            /// How many parameters it is said to take: a higher-order function passes no more.
            pub fn arity(self) -> u32 {
                match self { $(Builtin::$variant => $arity,)* }
            }
            fn signature_text(self) -> &'static str {
                match self { $(Builtin::$variant => $signature,)* }
            }
        }
    };
}

builtins! {
    Sum "sum" "<a<n>:n>" 1;
    Count "count" "<a:n>" 1;
    Max "max" "<a<n>:n>" 1;
    Min "min" "<a<n>:n>" 1;
    Average "average" "<a<n>:n>" 1;
    String "string" "<x-b?:s>" 1;
    Number "number" "<(nsb)-:n>" 1;
    Boolean "boolean" "<x-:b>" 1;
    Exists "exists" "<x:b>" 1;
    Not "not" "<x-:b>" 1;
    Map "map" "<af>" 2;
    Filter "filter" "<af>" 2;
    Reduce "reduce" "<afj?:j>" 3;
    Join "join" "<a<s>s?:s>" 2;
    Split "split" "<s-(sf)n?:a<s>>" 3;
    Uppercase "uppercase" "<s-:s>" 1;
    Lowercase "lowercase" "<s-:s>" 1;
    Substring "substring" "<s-nn?:s>" 3;
    Contains "contains" "<s-(sf):b>" 2;
    Trim "trim" "<s-:s>" 1;
    Length "length" "<s-:n>" 1;
    Floor "floor" "<n-:n>" 1;
    Ceil "ceil" "<n-:n>" 1;
    Round "round" "<n-n?:n>" 2;
    Abs "abs" "<n-:n>" 1;
    Lookup "lookup" "<x-s:x>" 2;
    Keys "keys" "<x-:a<s>>" 1;
    Merge "merge" "<a<o>:o>" 1;
    Append "append" "<xx:a>" 2;
    Sort "sort" "<af?:a>" 2;
    Distinct "distinct" "<x:x>" 1;
    Reverse "reverse" "<a:a>" 1;
    Now "now" "<s?s?:s>" 2;
    Type "type" "<x:s>" 1;
    Sqrt "sqrt" "<n-:n>" 1;
    Power "power" "<n-n:n>" 2;
    Error "error" "<s?:x>" 1;
    Assert "assert" "<bs?:x>" 2;
    Spread "spread" "<x-:a<o>>" 1;
    Shuffle "shuffle" "<a:a>" 1;
    Random "random" "<:n>" 0;
    Millis "millis" "<:n>" 0;
    Zip "zip" "<a+>" 0;
    SubstringBefore "substringBefore" "<s-s:s>" 2;
    SubstringAfter "substringAfter" "<s-s:s>" 2;
    FormatNumber "formatNumber" "<n-so?:s>" 3;
    FormatInteger "formatInteger" "<n-s:s>" 2;
    ParseInteger "parseInteger" "<s-s:n>" 2;
    FromMillis "fromMillis" "<n-s?s?:s>" 3;
    ToMillis "toMillis" "<s-s?:n>" 2;
    FormatBase "formatBase" "<n-n?:s>" 2;
    Pad "pad" "<s-ns?:s>" 3;
    Base64Encode "base64encode" "<s-:s>" 1;
    Base64Decode "base64decode" "<s-:s>" 1;
    EncodeUrlComponent "encodeUrlComponent" "<s-:s>" 1;
    EncodeUrl "encodeUrl" "<s-:s>" 1;
    DecodeUrlComponent "decodeUrlComponent" "<s-:s>" 1;
    DecodeUrl "decodeUrl" "<s-:s>" 1;
    Clone "clone" "<(oa)-:o>" 1;
    Single "single" "<af?>" 2;
    Sift "sift" "<o-f?:o>" 2;
    Each "each" "<o-f:a>" 2;
    Match "match" "<s-f<s:o>n?:a<o>>" 3;
    Replace "replace" "<s-(sf)(sf)n?:s>" 4;
}

/// Refused for good: what runs is compiled and checked before it runs.
pub(super) const EVAL: &str = "eval";

impl Builtin {
    /// The built-in of this name.
    pub fn find(name: &str) -> Option<Builtin> {
        Builtin::ALL.iter().copied().find(|b| b.name() == name)
    }

    /// Its parameters.
    pub fn signature(self) -> Signature {
        // The table's signatures are well formed, which a test holds.
        signature::parse(self.signature_text()).unwrap_or_default()
    }

    /// Its result may be a sequence of one or none, which the call's value is not: where a function
    /// ends with it, the sequence is settled only where the function's result is used.
    pub fn gives_sequence(self) -> bool {
        matches!(
            self,
            Builtin::Map
                | Builtin::Filter
                | Builtin::Keys
                | Builtin::Lookup
                | Builtin::Distinct
                | Builtin::Each
                | Builtin::Match
        )
    }

    /// The higher-order functions: emitted as loops.
    pub fn takes_function(self) -> bool {
        matches!(
            self,
            Builtin::Map
                | Builtin::Filter
                | Builtin::Reduce
                | Builtin::Sort
                | Builtin::Single
                | Builtin::Sift
                | Builtin::Each
        )
    }
}

/// Names of all built-ins of the standard, compiled or not.
pub fn builtins<'a>() -> impl Iterator<Item = &'a str> + Clone {
    Builtin::ALL.iter().map(|builtin| builtin.name()).chain([EVAL])
}

/// The signature of a built-in as the standard writes it, such as `<a<n>:n>`.
pub fn signature_of(name: &str) -> Option<&'static str> {
    match name {
        EVAL => Some("<sx?:x>"),
        _ => Builtin::find(name).map(Builtin::signature_text),
    }
}

/// A built-in of the standard, compiled or not.
pub fn is_builtin(name: &str) -> bool {
    Builtin::find(name).is_some() || name == EVAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_well_formed() {
        for builtin in Builtin::ALL {
            let parsed = signature::parse(builtin.signature_text());
            assert!(parsed.is_ok(), "{}", builtin.name());
        }
    }
}
