//! One connection to one host: the key it shows is checked, the server proves itself, one command runs.

use std::borrow::Cow;
use std::net::Shutdown;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use russh::client::{self, AuthResult, Handle, Msg};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelMsg, Preferred};
use tokio::net::TcpStream;

use super::grant::SshHost;

/// What is kept of standard output, and of standard error, in bytes; the rest is read and dropped.
pub(super) const OUTPUT_BYTES_MAX: usize = 256 << 10;

/// The longest key file, in bytes.
const KEY_BYTES_MAX: u64 = 64 << 10;

/// What came of a command.
#[derive(Default)]
pub(super) struct Ended {
    pub(super) exit_code: i32,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) cut: bool,
}

/// Why nothing, or nobody knows what, came of it.
pub(super) enum Failed {
    /// Nothing ran.
    Unreachable(String),
    /// The connection broke while it ran.
    Broken(String),
}

/// A host that showed a pinned key and took ours.
pub(super) struct Session {
    handle: Handle<Pinned>,
    _closing: Closing,
}

/// The socket; hung up when dropped, whatever the library still does.
struct Closing(std::net::TcpStream);

impl Drop for Closing {
    fn drop(&mut self) {
        // It may be closed already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Takes a host that shows one of the pinned keys, and no other; remembers which other it showed.
struct Pinned {
    keys: Vec<PublicKey>,
    shown: Arc<OnceLock<String>>,
}

impl client::Handler for Pinned {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => {
                self.shown.get_or_init(|| fingerprint(key));
                self.keys.iter().any(|pinned| pinned.key_data() == key.key_data())
            }
            PublicKeyOrCertificate::Certificate(_) => {
                self.shown.get_or_init(|| "a certificate".to_owned());
                false
            }
        })
    }
}

impl Session {
    /// Connects. Every error means that nothing ran.
    pub(super) async fn open(host: &SshHost) -> Result<Self, String> {
        let pinned = pinned(host)?;
        let key = read_key(host).await?;
        let cannot = |why: &dyn std::fmt::Display| format!("host {:?} at {}:{}: {why}", host.name, host.address, host.port);
        let stream = TcpStream::connect((host.address.as_str(), host.port)).await.map_err(|error| cannot(&error))?;
        let (stream, closing) = closing(stream).map_err(|error| cannot(&error))?;
        // Told which kinds of keys we know it by, the host shows one of those.
        let kinds: Vec<Algorithm> = pinned.iter().map(PublicKey::algorithm).collect();
        let preferred = Preferred { key: Cow::Owned(kinds), ..Preferred::default() };
        let config = Arc::new(client::Config { preferred, ..client::Config::default() });
        let (shown, wanted) = (Arc::new(OnceLock::new()), pinned.iter().map(fingerprint).collect::<Vec<_>>().join(" or "));
        let connected = client::connect_stream(config, stream, Pinned { keys: pinned, shown: Arc::clone(&shown) }).await;
        let mut handle = connected.map_err(|error| match error {
            russh::Error::UnknownKey => {
                let found = shown.get().map_or("none", String::as_str);
                cannot(&format!("it showed another key than the pinned ones: {found}, pinned is {wanted}"))
            }
            russh::Error::NoCommonAlgo { .. } => cannot(&format!("it has no key of a pinned kind: {error}")),
            error => cannot(&error),
        })?;
        let proof = PrivateKeyWithHashAlg::new(Arc::new(key), None);
        match handle.authenticate_publickey(host.user.clone(), proof).await.map_err(|error| cannot(&error))? {
            AuthResult::Success => Ok(Self { handle, _closing: closing }),
            AuthResult::Failure { .. } => Err(cannot(&format!("it does not take our key for user {:?}", host.user))),
        }
    }

    /// Begins a command. After `before_it_starts` it may have run.
    pub(super) async fn begin(&self, command: &str, before_it_starts: impl FnOnce()) -> Result<Running, Failed> {
        let opened = self.handle.channel_open_session().await;
        let channel = opened.map_err(|error| Failed::Unreachable(format!("the host opens no channel: {error}")))?;
        before_it_starts();
        channel.exec(true, command).await.map_err(broken)?;
        Ok(Running { channel })
    }
}

/// A command that runs.
pub(super) struct Running {
    channel: Channel<Msg>,
}

impl Running {
    /// Writes to its standard input.
    pub(super) async fn write(&self, bytes: Vec<u8>) -> Result<(), Failed> {
        self.channel.data_bytes(Bytes::from(bytes)).await.map_err(broken)
    }

    /// Writes the last of its standard input and waits for its end.
    pub(super) async fn end(self, last: Vec<u8>) -> Result<Ended, Failed> {
        let (mut reading, writing) = self.channel.split();
        // A command need not read what it is given, and may write before it has read all.
        let written = async {
            if !last.is_empty() {
                let _ = writing.data_bytes(Bytes::from(last)).await;
            }
            let _ = writing.eof().await;
        };
        let ended = async {
            let (mut ended, mut exit_code) = (Ended::default(), None);
            while let Some(message) = reading.wait().await {
                match message {
                    ChannelMsg::Data { data } => ended.cut |= keep(&mut ended.stdout, &data),
                    ChannelMsg::ExtendedData { data, ext: 1 } => ended.cut |= keep(&mut ended.stderr, &data),
                    ChannelMsg::ExitStatus { exit_status } => exit_code = Some(i32::try_from(exit_status).unwrap_or(i32::MAX)),
                    ChannelMsg::ExitSignal { signal_name, .. } => exit_code = Some(128 + number(&signal_name)),
                    ChannelMsg::Failure => return Err(Failed::Unreachable("the host does not run commands".to_owned())),
                    _ => {}
                }
            }
            ended.exit_code =
                exit_code.ok_or_else(|| Failed::Broken("the connection ended before the command did".to_owned()))?;
            Ok(ended)
        };
        tokio::join!(written, ended).1
    }
}

/// Returns a key as people compare it ("SHA256:…").
fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

fn broken(error: russh::Error) -> Failed {
    Failed::Broken(error.to_string())
}

fn keep(kept: &mut Vec<u8>, more: &[u8]) -> bool {
    let room = OUTPUT_BYTES_MAX.saturating_sub(kept.len()).min(more.len());
    kept.extend_from_slice(&more[..room]);
    room < more.len()
}

fn number(signal: &russh::Sig) -> i32 {
    match signal {
        russh::Sig::HUP => 1,
        russh::Sig::INT => 2,
        russh::Sig::QUIT => 3,
        russh::Sig::ILL => 4,
        russh::Sig::ABRT => 6,
        russh::Sig::FPE => 8,
        russh::Sig::KILL => 9,
        russh::Sig::USR1 => 10,
        russh::Sig::SEGV => 11,
        russh::Sig::PIPE => 13,
        russh::Sig::ALRM => 14,
        russh::Sig::TERM => 15,
        _ => 0,
    }
}

fn pinned(host: &SshHost) -> Result<Vec<PublicKey>, String> {
    let read = |text: &String| {
        PublicKey::from_openssh(text).map_err(|error| format!("a pinned key of host {:?} cannot be read: {error}", host.name))
    };
    let pinned: Vec<_> = host.host_keys.iter().map(read).collect::<Result<_, _>>()?;
    match pinned.is_empty() {
        true => Err(format!("host {:?} has no pinned key", host.name)),
        false => Ok(pinned),
    }
}

async fn read_key(host: &SshHost) -> Result<PrivateKey, String> {
    let file = &host.key_file;
    // What is wrong with a key is not said with a part of it.
    let cannot = |why: &dyn std::fmt::Display| format!("the key in {} cannot be used: {why}", file.display());
    if !file.is_absolute() {
        return Err(cannot(&"the path is not absolute"));
    }
    let bytes = tokio::fs::metadata(file).await.map_err(|error| cannot(&error))?.len();
    if bytes > KEY_BYTES_MAX {
        return Err(cannot(&format!("it has {bytes} bytes, at most {KEY_BYTES_MAX} are read")));
    }
    let text = tokio::fs::read_to_string(file).await.map_err(|error| cannot(&error))?;
    russh::keys::decode_secret_key(&text, None).map_err(|_| cannot(&"wanted an ed25519 or ecdsa key without a passphrase"))
}

/// Returns the stream, and what hangs it up.
fn closing(stream: TcpStream) -> std::io::Result<(TcpStream, Closing)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let closing = Closing(stream.try_clone()?);
    Ok((TcpStream::from_std(stream)?, closing))
}
