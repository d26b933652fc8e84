//! A map of probes.yaml as it is written: its keys are listed once, as the fields of a shape.

/// Makes the shape of a map.
///
/// Of the fields come the keys that the loader knows (`KEYS`, in this order, from which an unknown key is told and "did
/// you mean" is answered), and the JSON Schema, in which editors show the texts after `///`. A key that is a keyword of
/// Rust is written `r#for`.
///
/// Where a map is of one kind of several, the key that says which has its row of a table behind it: the shape
/// `pub struct Probe, KINDS: [Kind]` with the field `pub http: Option<Http> = http::KIND,` makes a table `Probe::KINDS`
/// that has `("http", http::KIND)` in it.
macro_rules! keyed {
    (
        $(#[$about:meta])*
        pub struct $shape:ident {
            $($(#[$told:meta])* pub $key:ident: $value:ty,)*
        }
    ) => {
        $(#[$about])*
        #[derive(schemars::JsonSchema)]
        #[schemars(deny_unknown_fields)]
        pub struct $shape {
            $($(#[$told])* pub $key: $value,)*
        }

        impl $shape {
            /// Its keys.
            pub(in crate::config) const KEYS: &'static [&'static str] =
                &[$($crate::config::raw::keyed::bare(stringify!($key))),*];
        }
    };
    (
        $(#[$about:meta])*
        pub struct $shape:ident, $table:ident: [$row:ty] {
            $($(#[$told:meta])* pub $key:ident: $value:ty $(= $kind:expr)?,)*
        }
    ) => {
        $crate::config::raw::keyed::keyed! {
            $(#[$about])*
            pub struct $shape {
                $($(#[$told])* pub $key: $value,)*
            }
        }

        impl $shape {
            /// The kinds: the key that says which it is, and what is known of it.
            pub(in crate::config) const $table: &'static [(&'static str, $row)] =
                &[$($(($crate::config::raw::keyed::bare(stringify!($key)), $kind),)?)*];
        }
    };
}

pub(crate) use keyed;

/// The key that a field's name stands for: `for` for `r#for`.
pub(crate) const fn bare(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}
