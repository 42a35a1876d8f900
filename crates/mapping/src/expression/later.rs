//! Forms of the language that are parsed and not compiled yet. The functions of that kind stand in
//! [`super::builtin`]; docs/mappings.md lists both, which a test holds.

macro_rules! forms {
    ($($form:ident $words:literal;)*) => {
        /// A form that is not compiled yet.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Form {
            $($form,)*
        }
        impl Form {
            /// All of them, as the page lists them.
            #[cfg(test)]
            pub(super) const ALL: &'static [Form] = &[$(Form::$form,)*];
            /// What messages and the page call it.
            pub(super) fn words(self) -> &'static str {
                match self { $(Form::$form => $words,)* }
            }
        }
    };
}

forms! {
    Group "grouping `{…}` after a path";
    Focus "the context variable `@`";
    Index "the position variable `#`";
    Parent "the parent `%`";
    Sort "the order-by clause `^(…)`";
    Transform "the transform `|…|…|`";
    Regex "a regular expression";
    Pattern "a function as a pattern";
    Picture "a picture or time zone of `$now`";
}
