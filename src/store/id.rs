//! A stored session's id: what the cookie carries, and the names that are made from it.

use constant_time_eq::constant_time_eq;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::Error;
use crate::load::Refusal;
use crate::seal::{self, Hashalg, KeyedMac, Secret};
use crate::wiped::WipedBytes;

const LENGTH: usize = 32;
const MAC: usize = 32;

/// What the browser's cookie holds, and a signature of it. khufu's own are 32 random bytes, of which the store knows the
/// hash.
pub(crate) struct Id(pub WipedBytes);

impl Id {
    /// 32 random bytes.
    pub fn random() -> Result<Self, Error> {
        let mut id = WipedBytes::from(vec![0; LENGTH]);
        getrandom::fill(&mut id[..])?;
        Ok(Self(id))
    }

    /// Its hex SHA-256, which may be logged: it opens nothing.
    pub fn hash(&self) -> String {
        hexadecimal(&Sha256::digest(&**self.0).into())
    }
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
            return Err(Refusal::bad_signature("the session id's signature is not by any of the secrets"));
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

    /// The names of a subject in the store's index: under the current secret, then under the previous ones.
    pub fn subjects(&self, subject: &str) -> impl Iterator<Item = Subject> {
        self.subjects.iter().map(|mac| {
            let mut name = [0; MAC];
            mac.sign(subject.as_bytes(), &mut name);
            Subject(name)
        })
    }
}

/// The name under which a subject's sessions are found: a MAC of the subject, which the store never sees.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject(pub [u8; MAC]);

impl Subject {
    pub fn name(&self) -> String {
        hexadecimal(&self.0)
    }
}

/// What `hex::encode` gives, without its going character by character.
fn hexadecimal(hash: &[u8; 32]) -> String {
    let mut digits = vec![0; 2 * hash.len()];
    hex::encode_to_slice(hash, &mut digits).expect("there are two digits a byte");
    String::from_utf8(digits).expect("digits are ASCII")
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq(&self.0, &other.0)
    }
}
