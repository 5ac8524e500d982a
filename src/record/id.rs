//! The id of a session in a store: what the browser's cookie carries, and the names that are made from it.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::load::Refusal;
use crate::record::header::Hash;
use crate::seal::{self, Hashalg, KeyedMac, Secret};
use crate::store::SubjectName;
use crate::wiped::WipedBytes;

/// Bytes of a name, and of a token.
const HALF: usize = 16;
const LENGTH: usize = 2 * HALF;
const MAC: usize = 32;

/// A session's id, which the browser's cookie carries with a signature. An id of khufu's is a name of 16 random bytes, which
/// the session keeps for life, and a token of 16 random bytes, which a login replaces.
pub(crate) struct Id(pub WipedBytes);

impl Id {
    /// A new name and a new token.
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

    /// The store's key: hexadecimal SHA-256 of the name. It may be logged, for it opens nothing.
    pub fn key(&self) -> String {
        hexadecimal(Sha256::new_with_prefix("khufu session").chain_update(&self.0[..HALF]).finalize().into())
    }

    /// Hexadecimal SHA-256 of the whole id.
    pub fn hash(&self) -> String {
        hexadecimal(Sha256::digest(&**self.0).into())
    }

    /// SHA-256 of the token, by which a record knows it.
    pub fn token_hash(&self) -> Hash {
        Sha256::digest(&self.0[HALF..]).into()
    }
}

/// A hash in hexadecimal digits. `hex::encode` gives the same, but writes each character on its own, which is slower.
fn hexadecimal(hash: Hash) -> String {
    let mut digits = vec![0; 2 * hash.len()];
    hex::encode_to_slice(hash, &mut digits).expect("there are two digits a byte");
    String::from_utf8(digits).expect("digits are ASCII")
}

/// Seals ids into cookie values, and names subjects, under keys of their own: an id's cookie and a signed session
/// never share one.
pub(crate) struct Keys {
    /// The current secret's first.
    ids: Vec<KeyedMac>,
    subjects: Vec<KeyedMac>,
}

impl Keys {
    /// `secrets`: the current one, then the previous ones; each with its salt in front.
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

    /// The id in a cookie's value, and whether a previous secret sealed it.
    pub fn open(&self, value: &[u8]) -> Result<(Id, bool), Refusal> {
        let mut bytes = WipedBytes::with_capacity(seal::decoded_most(value.len()));
        seal::decode(value, &mut bytes)?;
        if bytes.len() != MAC + LENGTH {
            return Err(Refusal::malformed("the cookie is not of the length of a session id"));
        }
        let (signature, id) = bytes.split_at(MAC);
        let Some(index) = self.ids.iter().position(|mac| mac.verifies(id, signature)) else {
            return Err(Refusal::bad_signature(
                "the session id's signature is not by any of the secrets: compare secret and salt with its writer's",
            ));
        };
        bytes.drain(..MAC);
        Ok((Id(bytes), index > 0))
    }

    /// The bytes of an id's cookie.
    pub fn seal(&self, id: &Id) -> Zeroizing<[u8; MAC + LENGTH]> {
        let mut bytes = Zeroizing::new([0; MAC + LENGTH]);
        let (signature, rest) = bytes.split_at_mut(MAC);
        self.ids[0].sign(&id.0, signature);
        rest.copy_from_slice(&id.0);
        bytes
    }

    /// The names of a subject under the current secret, then under the previous ones.
    pub fn subjects(&self, subject: &str) -> Vec<SubjectName> {
        self.subjects.iter().map(|mac| named(mac, subject)).collect()
    }
}

fn named(mac: &KeyedMac, subject: &str) -> SubjectName {
    let mut name = [0; MAC];
    mac.sign(subject.as_bytes(), &mut name);
    SubjectName(name)
}
