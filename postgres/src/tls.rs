//! Encrypted connections.

use std::sync::mpsc;
use std::time::Duration;

use scrollback::{Cause, Error, Result};
use tokio::runtime::Handle;
use tokio_postgres::{Client, Config};

use crate::hosts::Server;
use crate::options::Options;

/// What is said of a server that does not answer.
const TOO_LONG: &str = "it took too long to connect";

/// How connections are made.
#[derive(Clone)]
pub(crate) struct Connector {
    #[cfg(feature = "tls")]
    tls: Option<tokio_postgres_rustls::MakeRustlsConnect>,
}

impl Connector {
    /// For a server, if its URL does not say that nothing is to be encrypted.
    pub(crate) fn new(config: &Config, options: &Options) -> Result<Self> {
        let is_off = config.get_ssl_mode() == tokio_postgres::config::SslMode::Disable;
        #[cfg(feature = "tls")]
        {
            let tls = (!is_off).then(|| encrypted(options)).transpose()?;
            Ok(Self { tls })
        }
        #[cfg(not(feature = "tls"))]
        {
            // Refused where the URL asks for it: the default, `prefer`, goes on in the clear, as
            // with libpq.
            if config.get_ssl_mode() == tokio_postgres::config::SslMode::Require {
                return Err(Error::Storage {
                    action: "encrypt a connection",
                    source: "this build has no TLS (feature `tls`)".into(),
                });
            }
            let _ = (is_off, options);
            Ok(Self {})
        }
    }

    /// Makes a connection to the first server that takes it, each within so long; the runtime serves it from then
    /// on. Or what each of them says.
    pub(crate) fn connect(
        &self,
        runtime: &Handle,
        servers: &[Server],
        share: Duration,
    ) -> std::result::Result<Client, Vec<(String, Cause)>> {
        let (send, receive) = mpsc::sync_channel(1);
        let (servers, connector) = (servers.to_vec(), self.clone());
        let late = share * u32::try_from(servers.len()).unwrap_or(1) + Duration::from_secs(1);
        runtime.spawn(async move {
            let mut refusals = Vec::new();
            for Server { name, config } in servers {
                let made = tokio::time::timeout(share, connector.made(&config)).await;
                match made.unwrap_or_else(|_| Err(TOO_LONG.into())) {
                    Ok(client) => {
                        // Nobody waits any more: then nobody needs it.
                        drop(send.send(Ok(client)));
                        return;
                    }
                    Err(refusal) => refusals.push((name, refusal)),
                }
            }
            drop(send.send(Err(refusals)));
        });
        receive
            .recv_timeout(late)
            .unwrap_or_else(|_| Err(vec![(String::new(), TOO_LONG.into())]))
    }

    async fn made(&self, config: &Config) -> std::result::Result<Client, Cause> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            let (client, connection) = config.connect(tls.clone()).await?;
            tokio::spawn(connection);
            return Ok(client);
        }
        let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// A connector that checks the server's certificate against the given ones, or the system's.
#[cfg(feature = "tls")]
fn encrypted(options: &Options) -> Result<tokio_postgres_rustls::MakeRustlsConnect> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    let failed = |source: Cause| Error::Storage {
        action: "encrypt a connection",
        source,
    };
    let mut roots = rustls::RootCertStore::empty();
    match &options.root_certificates {
        Some(path) => {
            let of_file = |reason: &dyn std::fmt::Display| {
                failed(format!("root certificates `{}`: {reason}", path.display()).into())
            };
            let read = CertificateDer::pem_file_iter(path).map_err(|error| of_file(&error))?;
            for certificate in read {
                let certificate = certificate.map_err(|error| of_file(&error))?;
                roots.add(certificate).map_err(|error| of_file(&error))?;
            }
            if roots.is_empty() {
                return Err(of_file(&"it has no certificate in PEM"));
            }
        }
        // Of the system's those that can be read: none is an error once a server wants to be checked.
        None => {
            let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(Box::new(error)))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_postgres_rustls::MakeRustlsConnect::new(config))
}
