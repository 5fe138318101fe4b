//! The kernel as Jupyter sees it, from its connection file to its shutdown.

use crate::analyst::client::Analyst;
use crate::build_dir::BuildDir;
use crate::cells::process::BACKTRACE_VAR;
use crate::cells::record::CellRecord;
use crate::cells::{channels, output};
use crate::engine;
use crate::environment::Layout;
use crate::evaluator::{Evaluator, Shared};
use crate::jupyter::history::History;
use crate::jupyter::own_stderr::OwnStderr;
use crate::jupyter::publisher::Publisher;
use crate::jupyter::sockets::{self, Inbox};
use crate::jupyter::stdin::InputReader;
use crate::jupyter::wire::{Request, broadcast};
use crate::jupyter::{control, shell};
use crate::source_lines::SourceLines;
use crate::toolchain;
use anyhow::{Context, Result};
use evcxr::CommandContext;
use jupyter_protocol::{ConnectionInfo, Status, Stdio};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long nothing is compiled before the analyst is started.
const QUIET: Duration = Duration::from_millis(1_200);

/// rust-analyzer recurses deeply.
const STACK: usize = 64 * 1024 * 1024;

/// Serves the client that wrote `connection_file` until it asks for a shutdown.
///
/// # Errors
/// The connection file cannot be used, a port is taken, or the build directory cannot be written.
pub fn serve(connection_file: &Path, layout: &Layout) -> Result<()> {
    let info = sockets::read_connection_file(connection_file)?;
    let full_backtrace = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full");
    let dir = BuildDir::create(layout)?;
    engine::prepare(layout, dir.path())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
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
    let session = uuid::Uuid::new_v4().to_string();
    let (inbox, outbox) = sockets::serve(info, &session).await?;
    let _ = outbox.broadcast.send(broadcast(Status::starting(), None)).await;
    let publisher = Arc::new(Publisher::new(outbox.broadcast.clone()));
    let record = CellRecord::new(build_dir);
    let Inbox { shell, control, stdin } = inbox;
    let input =
        InputReader::new(outbox.clone(), Arc::clone(&publisher), Arc::clone(&record), stdin);
    let history = Arc::new(Mutex::new(History::open(layout.history_file().ok())));
    let (definitions, analyst) = (Arc::default(), Analyst::default());
    let shared = Shared { outbox, publisher, record, history, definitions, analyst };
    let _own_stderr = OwnStderr::watch(Arc::clone(&shared.publisher), Arc::clone(&shared.record))?;
    let (cells, queue) = mpsc::channel();
    let evaluation = Evaluation {
        shared: shared.clone(),
        input,
        lines: SourceLines::new(build_dir.join("src/lib.rs")),
        full_backtrace,
    };
    let thread = std::thread::Builder::new().name("cells".to_owned()).stack_size(STACK);
    thread.spawn(move || evaluation.run(&queue)).context("cannot start a thread")?;
    tokio::spawn(shell::serve(shell, cells, shared.clone()));
    tokio::spawn(start_analyst(shared.clone()));
    tokio::select! {
        () = control::serve(control, &shared) => {}
        () = parent_ended() => {}
    }
    shared.analyst.end();
    Ok(())
}

/// Starts the analyst when nothing is being compiled: a person is reading, or a cell runs. A
/// notebook that is executed without a pause never needs one.
async fn start_analyst(shared: Shared) {
    while !shared.record.is_quiet_for(QUIET) {
        tokio::time::sleep(QUIET / 4).await;
    }
    let _ = tokio::task::spawn_blocking(move || shared.analyst.start()).await;
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

/// What the evaluating thread begins with.
struct Evaluation {
    shared: Shared,
    input: InputReader,
    lines: SourceLines,
    full_backtrace: bool,
}

impl Evaluation {
    fn run(self, queue: &Receiver<Request>) {
        let engine = self.start_engine().map_err(|error| format!("{error:#}"));
        let Evaluation { shared, input, lines, full_backtrace } = self;
        Evaluator::new(shared, engine, input, lines, full_backtrace).run(queue);
    }

    /// Starts evcxr with a cell process whose output this kernel reads.
    fn start_engine(&self) -> Result<CommandContext> {
        let mut cells = Command::new(std::env::current_exe()?);
        toolchain::restore(&mut cells);
        cells.env("BLITZ_KERNEL", "1");
        if self.full_backtrace {
            cells.env(BACKTRACE_VAR, "full");
        }
        let socket = channels::inherit(&mut cells).context("cannot connect to cells")?;
        let (publisher, record) = (&self.shared.publisher, &self.shared.record);
        output::spawn(socket, Arc::clone(publisher), Arc::clone(record))?;
        let (mut context, outputs) = engine::start(cells)?;
        // What the cell process wrote before it could give its streams to the kernel.
        for lines in [outputs.stdout, outputs.stderr] {
            let publisher = Arc::clone(publisher);
            std::thread::spawn(move || {
                lines.iter().for_each(|line| publisher.stream(Stdio::Stderr, line + "\n"));
            });
        }
        engine::load_dependencies(&mut context)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .context("the notebooks' dependencies cannot be loaded (run `cargo blitz setup`)")?;
        Ok(context)
    }
}
