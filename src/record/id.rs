//! The id of a session in a store, and the keys and names that are derived from it.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::cookie::seal::{self, Hashalg, KeyedMac, Secret};
use crate::error::Error;
use crate::load::Refusal;
use crate::record::header::Hash;
use crate::store::SubjectName;
use crate::sys::wiped::WipedBytes;

/// The length in bytes of a name, and of a token.
const HALF: usize = 16;
const LENGTH: usize = 2 * HALF;
const MAC: usize = 32;

/// A session's id. The browser's cookie carries it with a signature.
///
/// khufu's own ids consist of a name and a token, each of 16 random bytes. The session keeps its name for life; a login
/// replaces the token.
pub(crate) struct Id(pub WipedBytes);

impl Id {
    /// An id with a new name and a new token.
    pub fn random() -> Result<Self, Error> {
        let mut id = WipedBytes::from(vec![0; LENGTH]);
        getrandom::fill(&mut id[..])?;
        Ok(Self(id))
    }

    /// An id with this name and a new token.
    pub fn with_new_token(&self) -> Result<Self, Error> {
        let mut id = Self::random()?;
        id.0[..HALF].copy_from_slice(&self.0[..HALF]);
        Ok(id)
    }

    /// The store's key: a SHA-256 of the name, in hexadecimal. It may be logged, because it does not open the session.
    pub fn key(&self) -> String {
        hexadecimal(Sha256::new_with_prefix("khufu session").chain_update(&self.0[..HALF]).finalize().into())
    }

    /// The SHA-256 of the whole id, in hexadecimal.
    pub fn hash(&self) -> String {
        hexadecimal(Sha256::digest(&**self.0).into())
    }

    /// The SHA-256 of the token. A record contains it instead of the token.
    pub fn token_hash(&self) -> Hash {
        Sha256::digest(&self.0[HALF..]).into()
    }
}

/// A hash as hexadecimal digits. This is faster than `hex::encode`, which writes each character on its own.
fn hexadecimal(hash: Hash) -> String {
    let mut digits = vec![0; 2 * hash.len()];
    hex::encode_to_slice(hash, &mut digits).expect("the buffer has two digits for each byte");
    String::from_utf8(digits).expect("digits are ASCII")
}

/// Signs ids for cookies, and derives the names of subjects. Each purpose has its own key, derived from the secret, so
/// that a signed id is never accepted as a signed session.
pub(crate) struct Keys {
    /// One for each secret, the current one first.
    ids: Vec<KeyedMac>,
    subjects: Vec<KeyedMac>,
}

impl Keys {
    /// `secrets` are the current one, then the previous ones. Each begins with its salt.
    pub fn new(secrets: &[Secret]) -> Self {
        let derived = |purpose: &[u8]| {
            let derive = |secret: &Secret| {
                let mut key = Zeroizing::new([0; MAC]);
                KeyedMac::new(Hashalg::Sha256, secret).sign(purpose, &mut *key);
                KeyedMac::new(Hashalg::Sha256, &*key)
            };
            secrets.iter().map(derive).collect()
        };
        Self { ids: derived(b"khufu store id"), subjects: derived(b"khufu store subject") }
    }

    /// Opens a cookie's value. Returns the id, and true if a previous secret signed it.
    pub fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal> {
        let mut bytes = WipedBytes::with_capacity(seal::decoded_most(value.len()));
        seal::decode(value, &mut bytes)?;
        if bytes.len() != MAC + LENGTH {
            return Err(Refusal::malformed("the cookie does not have the length of a session id"));
        }
        let (signature, id) = bytes.split_at(MAC);
        let Some(index) = self.ids.iter().position(|mac| mac.verifies(id, signature)) else {
            return Err(Refusal::bad_signature(
                "none of the secrets signed the id: compare the options secret and salt with those of its writer",
            ));
        };
        bytes.drain(..MAC);
        Ok((Id(bytes), index > 0))
    }

    /// The signature and the id: the bytes of a cookie's value before they are encoded.
    pub fn seal(&self, id: &Id) -> Zeroizing<[u8; MAC + LENGTH]> {
        let mut bytes = Zeroizing::new([0; MAC + LENGTH]);
        let (signature, rest) = bytes.split_at_mut(MAC);
        self.ids[0].sign(&id.0, signature);
        rest.copy_from_slice(&id.0);
        bytes
    }

    /// The names of a subject: one for each secret, the current one first.
    pub fn subjects(&self, subject: &str) -> Vec<SubjectName> {
        self.subjects.iter().map(|mac| subject_name(mac, subject)).collect()
    }
}

fn subject_name(mac: &KeyedMac, subject: &str) -> SubjectName {
    let mut name = [0; MAC];
    mac.sign(subject.as_bytes(), &mut name);
    SubjectName(name)
}
