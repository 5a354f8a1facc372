//! The contracts of [`Store`](crate::Store) and of `SessionStore` as named tests over any
//! implementation.
