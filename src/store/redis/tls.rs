//! The TLS configuration for connections to Redis: the trusted certificate authorities, and a client certificate if the
//! server asks for one.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::store::StoreError;

/// PEM files, named as `redis.conf` names its own.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Files {
    /// The certificate authorities that may certify the server. `None` means those that the system trusts.
    pub authorities: Option<PathBuf>,
    /// The client certificate.
    pub certificate: Option<PathBuf>,
    /// The key of the client certificate.
    pub key: Option<PathBuf>,
}

fn wrong(reason: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(format!("TLS to Redis: {reason}"))
}

fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let unreadable = |error| wrong(format_args!("{}: {error}", path.display()));
    let found = CertificateDer::pem_file_iter(path).map_err(unreadable)?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(unreadable)?;
    if found.is_empty() {
        return Err(wrong(format_args!("{} contains no certificate", path.display())));
    }
    Ok(found)
}

fn authorities(path: Option<&PathBuf>) -> Result<RootCertStore, StoreError> {
    let mut store = RootCertStore::empty();
    match path {
        Some(path) => {
            for certificate in certificates(path)? {
                store.add(certificate).map_err(|error| wrong(format_args!("{}: {error}", path.display())))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(wrong("the system has no certificate authorities; set tls_ca_cert_file"));
            }
        }
    }
    Ok(store)
}

pub(super) fn config(files: &Files) -> Result<Arc<ClientConfig>, StoreError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(wrong)?
        .with_root_certificates(authorities(files.authorities.as_ref())?);
    let config = match (&files.certificate, &files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key =
                PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(format_args!("{}: {error}", key.display())))?;
            builder.with_client_auth_cert(chain, key).map_err(wrong)?
        }
        _ => return Err(wrong("set both tls_cert_file and tls_key_file, or neither")),
    };
    Ok(Arc::new(config))
}
