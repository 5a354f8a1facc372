//! How the methods are declared that give the same value with another field.

/// Declares `with_` methods of a type: the name, what is given, and what the field becomes.
///
/// ```text
/// with_methods! { ListQuery =>
///     /// The same, of this agent only.
///     with_agent(agent: impl Into<String>) agent = Some(agent.into());
/// }
/// ```
macro_rules! with_methods {
    ($of:ty => $(
        $(#[$doc:meta])*
        $name:ident($($given:ident: $given_as:ty)?) $field:ident = $value:expr;
    )*) => {
        impl $of {$(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $($given: $given_as)?) -> Self {
                self.$field = $value;
                self
            }
        )*}
    };
}

pub(crate) use with_methods;
