//! The five sockets of a kernel.

use crate::jupyter::wire::Request;
use crate::output::message::broadcast;
use anyhow::{Context, Result, anyhow, bail};
use jupyter_protocol::{ConnectionInfo, IoPubWelcome, JupyterMessage};
use jupyter_zmq_client::connection::{
    Connection, KernelIoPubXPubConnection, RawMessage, SubscriptionEvent,
    create_kernel_control_connection, create_kernel_heartbeat_connection,
    create_kernel_iopub_xpub_connection, create_kernel_shell_connection,
    create_kernel_stdin_connection,
};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use zeromq::{RouterRecvHalf, SocketRecv, SocketSend};

/// How many broadcasts may wait to be sent. A cell that prints faster than clients read waits: no
/// line is dropped and memory stays bounded.
const BROADCAST_QUEUE: usize = 256;

/// Messages on their way out. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    /// To everybody (IOPub).
    pub broadcast: mpsc::Sender<JupyterMessage>,
    /// Replies on the shell socket.
    pub shell: mpsc::UnboundedSender<JupyterMessage>,
    /// Replies on the control socket.
    pub control: mpsc::UnboundedSender<JupyterMessage>,
    /// Requests for input on the stdin socket.
    pub stdin: mpsc::UnboundedSender<JupyterMessage>,
}

/// Requests as they come in, one queue for each socket.
pub struct Inbox {
    /// Requests on the shell socket.
    pub shell: mpsc::UnboundedReceiver<Request>,
    /// Requests on the control socket.
    pub control: mpsc::UnboundedReceiver<Request>,
    /// Answers to requests for input.
    pub stdin: mpsc::UnboundedReceiver<Request>,
}

/// Reads the connection file that Jupyter wrote.
///
/// # Errors
/// It is missing, or it is not a connection file this kernel can use.
pub fn read_connection_file(path: &Path) -> Result<ConnectionInfo> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the connection file {}", path.display()))?;
    let info: ConnectionInfo = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a connection file", path.display()))?;
    if !info.key.is_empty() && info.signature_scheme != "hmac-sha256" {
        bail!(
            "{} asks for the signature scheme `{}`; this kernel knows hmac-sha256",
            path.display(),
            info.signature_scheme
        );
    }
    Ok(info)
}

/// Binds the sockets and starts the tasks that serve them.
///
/// # Errors
/// An address cannot be bound, for example because another process has the port.
pub async fn serve(info: &ConnectionInfo, session: &str) -> Result<(Inbox, Outbox)> {
    let heartbeat = create_kernel_heartbeat_connection(info).await;
    let mut heartbeat = heartbeat.map_err(|error| bound("heartbeat", info.hb_port, error))?;
    tokio::spawn(async move {
        loop {
            match heartbeat.socket.recv().await {
                Ok(beat) => drop(heartbeat.socket.send(beat).await),
                // A client broke off; the pause keeps a lasting error from spinning.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    });

    let iopub = create_kernel_iopub_xpub_connection(info, session).await;
    let iopub = iopub.map_err(|error| bound("iopub", info.iopub_port, error))?;
    let (broadcast, broadcasts) = mpsc::channel(BROADCAST_QUEUE);
    tokio::spawn(serve_iopub(iopub, broadcasts));

    let shell = create_kernel_shell_connection(info, session).await;
    let (shell_in, shell) = router(shell.map_err(|e| bound("shell", info.shell_port, e))?);
    let control = create_kernel_control_connection(info, session).await;
    let (control_in, control) =
        router(control.map_err(|e| bound("control", info.control_port, e))?);
    let stdin = create_kernel_stdin_connection(info, session).await;
    let (stdin_in, stdin) = router(stdin.map_err(|e| bound("stdin", info.stdin_port, e))?);
    let inbox = Inbox { shell: shell_in, control: control_in, stdin: stdin_in };
    Ok((inbox, Outbox { broadcast, shell, control, stdin }))
}

fn bound(name: &str, port: u16, error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot bind the {name} socket to port {port}: {error} (is it in use?)")
}

/// Serves a ROUTER socket with one task for each direction.
fn router(
    connection: Connection<zeromq::RouterSocket>,
) -> (mpsc::UnboundedReceiver<Request>, mpsc::UnboundedSender<JupyterMessage>) {
    let (mut send, receive) = connection.split();
    let (reply, mut replies) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = replies.recv().await {
            // A client that has gone cannot be answered.
            let _ = send.send(message).await;
        }
    });
    let (request, requests) = mpsc::unbounded_channel();
    tokio::spawn(read_requests(receive, request));
    (requests, reply)
}

async fn read_requests(
    mut connection: Connection<RouterRecvHalf>,
    requests: mpsc::UnboundedSender<Request>,
) {
    loop {
        let multipart = match connection.socket.recv().await {
            Ok(multipart) => multipart,
            Err(zeromq::ZmqError::NoMessage) => return,
            // A peer broke off in mid-message; the others go on.
            Err(_) => continue,
        };
        // What has a bad signature or is not a Jupyter message is dropped.
        let raw = RawMessage::from_multipart(multipart, &connection.mac);
        if let Some(request) = raw.ok().and_then(Request::decode)
            && requests.send(request).is_err()
        {
            return;
        }
    }
}

/// Sends broadcasts, and welcomes each new subscriber (JEP 65), who then knows that nothing it
/// causes from now on can be missed.
async fn serve_iopub(
    mut iopub: KernelIoPubXPubConnection,
    mut broadcasts: mpsc::Receiver<JupyterMessage>,
) {
    loop {
        tokio::select! {
            message = broadcasts.recv() => match message {
                Some(message) => { let _ = iopub.send(message).await; }
                None => return,
            },
            event = iopub.recv_subscription() => {
                if let Ok(SubscriptionEvent::Subscribe(topic)) = event {
                    let welcome = broadcast(IoPubWelcome::new(topic.clone()), None);
                    let topic = topic.into_bytes().into();
                    let _ = iopub.send(welcome.with_zmq_identities(vec![topic])).await;
                }
            }
        }
    }
}
