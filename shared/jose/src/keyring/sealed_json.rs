//! Sealed values with a type.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Keyring, KeyringError};

/// One purpose of a [`Keyring`] with the type of what is sealed for it: an encrypted cookie, or a column.
pub struct SealedJson<T> {
    keyring: Keyring,
    purpose: Cow<'static, str>,
    value: PhantomData<fn(T) -> T>,
}

impl<T: Serialize + DeserializeOwned> SealedJson<T> {
    /// Values of this type, sealed for this purpose.
    pub fn new(keyring: Keyring, purpose: impl Into<Cow<'static, str>>) -> Self {
        Self { keyring, purpose: purpose.into(), value: PhantomData }
    }

    /// Seals the value as JSON.
    ///
    /// # Errors
    /// As [`Keyring::seal`], and [`KeyringError::Json`] when the value has no form in JSON.
    pub fn seal(&self, value: &T) -> Result<String, KeyringError> {
        self.keyring.seal(&self.purpose, &serde_json::to_vec(value)?)
    }

    /// Opens a sealed value.
    ///
    /// # Errors
    /// As [`Keyring::open`], and [`KeyringError::Json`] when it was sealed from another type.
    pub fn open(&self, sealed: &str) -> Result<T, KeyringError> {
        Ok(serde_json::from_slice(&self.keyring.open(&self.purpose, sealed)?)?)
    }
}

impl<T> Clone for SealedJson<T> {
    fn clone(&self) -> Self {
        Self { keyring: self.keyring.clone(), purpose: self.purpose.clone(), value: PhantomData }
    }
}

impl<T> fmt::Debug for SealedJson<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedJson").field("purpose", &self.purpose).finish_non_exhaustive()
    }
}
