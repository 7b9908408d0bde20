//! Mirrors: types that have the shape of the model's today and keep it when the model moves on.
//!
//! The macros write both directions. They take the model's types apart field by field, so that a field that the model gains or
//! loses does not compile here until somebody has decided what it means for records on disk.

use model::{BasisPoints, Digest, Fence, Millis, Percent, Timestamp};

use super::Unreadable;

/// A form of a model type.
pub(crate) trait Mirror<T>: Sized {
    /// Returns the form of a value.
    fn of(value: &T) -> Self;

    /// Returns the value, or why this is not one.
    fn back(self) -> Result<T, Unreadable>;
}

impl<T, M: Mirror<T>> Mirror<Vec<T>> for Vec<M> {
    fn of(value: &Vec<T>) -> Self {
        value.iter().map(M::of).collect()
    }

    fn back(self) -> Result<Vec<T>, Unreadable> {
        self.into_iter().map(M::back).collect()
    }
}

impl<T, M: Mirror<T>> Mirror<Option<T>> for Option<M> {
    fn of(value: &Option<T>) -> Self {
        value.as_ref().map(M::of)
    }

    fn back(self) -> Result<Option<T>, Unreadable> {
        self.map(M::back).transpose()
    }
}

macro_rules! as_is {
    ($($kind:ty),*) => {$(
        impl Mirror<$kind> for $kind {
            fn of(value: &$kind) -> Self {
                value.clone()
            }

            fn back(self) -> Result<$kind, Unreadable> {
                Ok(self)
            }
        }
    )*};
}

as_is!(String, bool, u32, u64, i64);

macro_rules! as_text {
    ($($kind:ty),*) => {$(
        impl Mirror<$kind> for String {
            fn of(value: &$kind) -> Self {
                value.to_string()
            }

            fn back(self) -> Result<$kind, Unreadable> {
                <$kind>::new(&self).map_err(|error| Unreadable::Form(error.to_string()))
            }
        }
    )*};
}

as_text!(
    model::ServiceName,
    model::EnvironmentName,
    model::StepId,
    model::DeploymentId,
    model::ReleaseId,
    model::OperationKey,
    model::PlanHash
);

impl Mirror<Digest> for String {
    fn of(value: &Digest) -> Self {
        value.to_string()
    }

    fn back(self) -> Result<Digest, Unreadable> {
        Digest::parse(&self).map_err(|error| Unreadable::Form(error.to_string()))
    }
}

impl Mirror<Timestamp> for i64 {
    fn of(value: &Timestamp) -> Self {
        value.0
    }

    fn back(self) -> Result<Timestamp, Unreadable> {
        Ok(Timestamp(self))
    }
}

impl Mirror<Millis> for u64 {
    fn of(value: &Millis) -> Self {
        value.0
    }

    fn back(self) -> Result<Millis, Unreadable> {
        Ok(Millis(self))
    }
}

impl Mirror<Fence> for u64 {
    fn of(value: &Fence) -> Self {
        value.0
    }

    fn back(self) -> Result<Fence, Unreadable> {
        Ok(Fence(self))
    }
}

impl Mirror<usize> for u64 {
    fn of(value: &usize) -> Self {
        *value as u64
    }

    fn back(self) -> Result<usize, Unreadable> {
        usize::try_from(self).map_err(|_| Unreadable::Form(format!("{self} is too large for an index")))
    }
}

impl Mirror<BasisPoints> for u16 {
    fn of(value: &BasisPoints) -> Self {
        value.get()
    }

    fn back(self) -> Result<BasisPoints, Unreadable> {
        BasisPoints::new(self).ok_or_else(|| Unreadable::Form(format!("{self} basis points, at most 10000")))
    }
}

impl Mirror<Percent> for u8 {
    fn of(value: &Percent) -> Self {
        value.get()
    }

    fn back(self) -> Result<Percent, Unreadable> {
        Percent::new(self).ok_or_else(|| Unreadable::Form(format!("{self} percent, at most 100")))
    }
}

/// Bytes, as hexadecimal text.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Hex(String);

impl Mirror<Vec<u8>> for Hex {
    fn of(value: &Vec<u8>) -> Self {
        Self(hex::encode(value))
    }

    fn back(self) -> Result<Vec<u8>, Unreadable> {
        hex::decode(&self.0).map_err(|error| Unreadable::Form(error.to_string()))
    }
}

macro_rules! mirror_struct {
    ($(#[$doc:meta])* $name:ident = model::$model:ident { $($(#[$how:meta])* $field:ident : $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$how])* pub(crate) $field: $kind,)*
        }

        impl Mirror<model::$model> for $name {
            fn of(value: &model::$model) -> Self {
                let model::$model { $($field),* } = value;
                Self { $($field: <$kind as Mirror<_>>::of($field)),* }
            }

            fn back(self) -> Result<model::$model, Unreadable> {
                Ok(model::$model { $($field: <$kind as Mirror<_>>::back(self.$field)?),* })
            }
        }
    };
}

macro_rules! mirror_enum {
    ($(#[$doc:meta])* $name:ident = model::$model:ident { $($variant:ident { $($member:tt $field:ident : $kind:ty),* $(,)? }),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
        pub(crate) enum $name {
            $($variant { $($field: $kind),* }),*
        }

        impl Mirror<model::$model> for $name {
            fn of(value: &model::$model) -> Self {
                match value {
                    $(model::$model::$variant { $($member: $field),* } => {
                        Self::$variant { $($field: <$kind as Mirror<_>>::of($field)),* }
                    })*
                }
            }

            fn back(self) -> Result<model::$model, Unreadable> {
                Ok(match self {
                    $(Self::$variant { $($field),* } => {
                        model::$model::$variant { $($member: <$kind as Mirror<_>>::back($field)?),* }
                    })*
                })
            }
        }
    };
}

pub(super) use {mirror_enum, mirror_struct};
