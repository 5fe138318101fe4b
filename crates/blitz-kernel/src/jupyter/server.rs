//! The kernel as Jupyter sees it, from its connection file to its shutdown.

use crate::analyst::client::Analyst;
use crate::engine;
use crate::jupyter::history::History;
use crate::jupyter::own_stderr::OwnStderr;
use crate::jupyter::shared::Shared;
use crate::jupyter::sockets::{self, Inbox};
use crate::jupyter::stdin::InputReader;
use crate::jupyter::{control, shell};
use crate::language;
use crate::output::message::broadcast;
use crate::output::publisher::Publisher;
use crate::session::Session;
use crate::session::build_dir::BuildDir;
use crate::session::evaluator::Evaluator;
use crate::session::record::CellRecord;
use anyhow::{Context, Result};
use blitz_contract::Layout;
use blitz_contract::layout::HISTORY;
use blitz_contract::variables;
use blitz_toolchain::Analysis;
use jupyter_protocol::{ConnectionInfo, Status};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// How long nothing is compiled before the analyst is started.
const QUIET: Duration = Duration::from_millis(1_200);

/// rust-analyzer recurses deeply.
const STACK: usize = 64 * 1024 * 1024;

/// Serves the client that wrote `connection_file` until it asks for a shutdown.
///
/// # Errors
/// The connection file cannot be used, a port is taken, or the build directory cannot be written.
///
/// # Safety
/// This process has no other thread.
pub unsafe fn serve(connection_file: &Path, layout: &Layout) -> Result<()> {
    let info = sockets::read_connection_file(connection_file)?;
    let full_backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full");
    let dir = BuildDir::create(layout)?;
    // SAFETY: the caller's promise; threads begin below.
    unsafe { engine::prepare(layout, dir.path(), Analysis::CellAlone) }?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .context("cannot start threads")?;
    runtime.block_on(serve_until_shutdown(&info, layout, dir.path(), full_backtrace))?;
    // A running cell and a compiling rustc end with this process.
    runtime.shutdown_background();
    Ok(())
}

async fn serve_until_shutdown(
    info: &ConnectionInfo,
    layout: &Layout,
    build_dir: &Path,
    full_backtrace: bool,
) -> Result<()> {
    let (inbox, outbox) = sockets::serve(info, &uuid::Uuid::new_v4().to_string()).await?;
    let _ = outbox.broadcast.send(broadcast(Status::starting(), None)).await;
    let publisher = Arc::new(Publisher::new(outbox.broadcast.clone(), language::messages(layout)));
    let record = CellRecord::new(build_dir);
    let Inbox { shell, control, stdin } = inbox;
    let input = InputReader::new(outbox.clone(), Arc::clone(&record), stdin);
    let _own_stderr = OwnStderr::watch(Arc::clone(&publisher), Arc::clone(&record))?;
    let (definitions, types_are_known) = (Arc::default(), watch::Sender::new(true));
    let session = Session { publisher, record, definitions, types_are_known };
    let history = Arc::new(Mutex::new(History::open(history_file(layout))));
    let (input, analyst) = (Arc::new(input), Analyst::new(layout.clone()));
    let shared = Shared { outbox, session: session.clone(), input, history, analyst };
    let (cells, queue) = mpsc::channel();
    let (layout, build_dir) = (layout.clone(), build_dir.to_owned());
    let evaluate = move || {
        Evaluator::start(session, layout, &build_dir, full_backtrace).run(&queue);
    };
    let thread = std::thread::Builder::new().name("cells".to_owned()).stack_size(STACK);
    thread.spawn(evaluate).context("cannot start a thread")?;
    tokio::spawn(shell::serve(shell, cells, shared.clone()));
    tokio::spawn(start_analyst(shared.clone()));
    tokio::select! {
        () = control::serve(control, &shared) => {}
        () = parent_ended() => {}
    }
    shared.analyst.end();
    Ok(())
}

/// Where this person's history is kept, if there is a place for it.
fn history_file(layout: &Layout) -> Option<PathBuf> {
    let dir = blitz_user_dirs::own_subdir(layout.root(), HISTORY).ok()?;
    Some(dir.join("cells.jsonl"))
}

/// Starts the analyst when nothing is being compiled: a person is reading, or a cell runs. A
/// notebook that is executed without a pause never needs one.
async fn start_analyst(shared: Shared) {
    if std::env::var_os(variables::COMPLETION).is_some_and(|value| value == variables::WHEN_ASKED) {
        return;
    }
    while !shared.session.record.is_quiet_for(QUIET) {
        tokio::time::sleep(QUIET / 4).await;
    }
    shared.analyst.start();
}

/// Returns when the Jupyter process that started this kernel is gone: nobody could ask a kernel to
/// end that its server has left behind.
async fn parent_ended() {
    if std::env::var_os("JPY_PARENT_PID").is_none() {
        std::future::pending::<()>().await;
    }
    let parent = rustix::process::getppid();
    while rustix::process::getppid() == parent {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
