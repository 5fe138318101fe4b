//! Calls that all processes make together: the functions of `torch.distributed`.

use tch::{Kind, Tensor};

use super::engine::{Engine, Work};
use super::process_group::ProcessGroup;
use crate::error::{Error, Result};

/// How [`ProcessGroup::all_reduce`] puts the ranks' numbers together, element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReduceOp {
    /// Their sum.
    Sum,
    /// Their mean: the sum, divided by the number of ranks. For floating-point kinds.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

impl ReduceOp {
    /// The number by which C++ knows it.
    fn code(self) -> i32 {
        match self {
            ReduceOp::Sum | ReduceOp::Mean => 0,
            ReduceOp::Min => 1,
            ReduceOp::Max => 2,
        }
    }
}

/// In a world of one, these return at once and change nothing.
///
/// Before tensors move, the ranks compare what each is about to do: a rank that makes another call,
/// or has a tensor of another shape, is an error on all of them, instead of a wait without an end.
impl ProcessGroup {
    /// Replaces `tensor`, on every rank, by what `op` makes of all ranks' tensors:
    /// `dist.all_reduce(tensor, op)`. All have one shape and kind.
    ///
    /// ```
    /// use blitz::prelude::*;
    ///
    /// let group = distributed::init(&InitOptions::default())?;
    /// let mut sum = Tensor::from_slice(&[group.rank() as f32]);
    /// group.all_reduce(&mut sum, ReduceOp::Sum)?; // 0 alone, 1 with two ranks, 6 with four
    /// # assert_eq!(sum.double_value(&[0]), 0.0);
    /// # Ok::<(), blitz::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Process`] where a rank does not make this call, has ended, or has another shape or
    /// kind; [`Error::Shape`] for the mean of integers.
    pub fn all_reduce(&self, tensor: &mut Tensor, op: ReduceOp) -> Result<()> {
        const OPERATION: &str = "all_reduce";
        if op == ReduceOp::Mean && !is_float(tensor.kind()) {
            let expected = "a floating-point kind for the mean".to_owned();
            let got = format!("{:?}", tensor.kind());
            return Err(Error::Shape { operation: OPERATION, expected, got });
        }
        let Some(engine) = self.engine() else { return Ok(()) };
        self.agree(engine, OPERATION, &format!("all_reduce({op:?})"), tensor)?;
        self.exchange(OPERATION, tensor, |dense| engine.all_reduce(dense, op.code()))?;
        if op == ReduceOp::Mean {
            let world_size = self.world_size() as f64;
            tch::no_grad(|| tensor.f_div_scalar_(world_size).map(drop))?;
        }
        Ok(())
    }

    /// Replaces `tensor`, on every rank, by that of rank `root`: `dist.broadcast(tensor, src)`.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where there is no such rank, else as [`ProcessGroup::all_reduce`].
    pub fn broadcast(&self, tensor: &mut Tensor, root: usize) -> Result<()> {
        const OPERATION: &str = "broadcast";
        if root >= self.world_size() {
            let expected = format!("a rank below {}", self.world_size());
            return Err(Error::option("root", expected, root));
        }
        let Some(engine) = self.engine() else { return Ok(()) };
        // Not translated: for the other ranks.
        self.agree(engine, OPERATION, &format!("broadcast(root {root})"), tensor)?;
        self.exchange(OPERATION, tensor, |dense| engine.broadcast(dense, root))
    }

    /// The tensors of all ranks, by rank: `dist.all_gather(list, tensor)`. `tensor` is not modified.
    ///
    /// # Errors
    ///
    /// As [`ProcessGroup::all_reduce`].
    pub fn all_gather(&self, tensor: &Tensor) -> Result<Vec<Tensor>> {
        const OPERATION: &str = "all_gather";
        let Some(engine) = self.engine() else { return Ok(vec![tensor.detach().copy()]) };
        self.agree(engine, OPERATION, OPERATION, tensor)?;
        let like = || tensor.detach().contiguous().zeros_like();
        let mut gathered: Vec<Tensor> = (0..self.world_size()).map(|_| like()).collect();
        if tensor.numel() > 0 {
            let dense = carried(&tensor.detach().contiguous());
            let places: Vec<Tensor> = gathered.iter().map(carried).collect();
            let done = engine.all_gather(&dense, &places);
            done.map_err(|error| self.failed(OPERATION, error))?;
            for (gathered, place) in gathered.iter_mut().zip(&places) {
                // The same memory, but for booleans.
                if gathered.kind() == Kind::Bool {
                    gathered.f_copy_(place)?;
                }
            }
        }
        Ok(gathered)
    }

    /// Waits until all ranks have come here: `dist.barrier()`.
    ///
    /// # Errors
    ///
    /// As [`ProcessGroup::all_reduce`].
    pub fn barrier(&self) -> Result<()> {
        match self.engine() {
            Some(engine) => {
                let nothing = Tensor::zeros([0], (Kind::Uint8, self.device()));
                self.agree(engine, "barrier", "barrier", &nothing)
            }
            None => Ok(()),
        }
    }

    /// What each rank has to say, by rank.
    pub(crate) fn all_gather_text(
        &self,
        operation: &'static str,
        text: &str,
    ) -> Result<Vec<String>> {
        let Some(engine) = self.engine() else { return Ok(vec![text.to_owned()]) };
        let named = |error| self.failed(operation, error);
        let length = Tensor::from_slice(&[text.len() as i64]).to_device(self.device());
        let lengths = self.gather_unchecked(engine, &length).map_err(named)?;
        let lengths: Vec<usize> =
            lengths.iter().map(|length| length.int64_value(&[0]) as usize).collect();
        let room = lengths.iter().copied().max().unwrap_or(0).max(1);
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(room, 0);
        let bytes = Tensor::from_slice(&bytes).to_device(self.device());
        let gathered = self.gather_unchecked(engine, &bytes).map_err(named)?;
        let read = |(bytes, length): (&Tensor, usize)| {
            let bytes: Vec<u8> = Vec::try_from(bytes)?;
            Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
        };
        gathered.iter().zip(lengths).map(read).collect()
    }

    /// What each rank came to, in words, by rank. The error of one is an error of all: on the others
    /// it names the first rank that has one.
    ///
    /// # Errors
    ///
    /// The rank's own; [`Error::Interrupted`] where only another one was interrupted, and
    /// [`Error::Process`] with another one's error.
    pub(crate) fn gather_results(
        &self,
        operation: &'static str,
        own: Result<String>,
    ) -> Result<Vec<String>> {
        let words = match &own {
            Ok(words) => format!("+{words}"),
            Err(Error::Interrupted { .. }) => INTERRUPTED.to_owned(),
            Err(error) => format!("-{error}"),
        };
        let all = self.all_gather_text(operation, &words)?;
        own?;
        let failed = |words: &&String| !words.starts_with('+');
        if let Some((rank, words)) = all.iter().enumerate().find(|(_, words)| failed(words)) {
            if words == INTERRUPTED {
                let state = format!("rank {rank} was interrupted, and all have stopped");
                return Err(Error::Interrupted { operation, state });
            }
            let remedy = "Mend it there; the other ranks have stopped because of it.";
            let reason = format!("rank {rank}: {}", &words[1..]);
            return Err(self.disagreement(operation, reason, remedy));
        }
        Ok(all.into_iter().map(|words| words[1..].to_owned()).collect())
    }

    /// Gives all ranks the values of rank 0. That the tensors have the same shapes and kinds on all
    /// is known.
    pub(super) fn share(
        &self,
        operation: &'static str,
        tensors: &[(String, Tensor)],
    ) -> Result<()> {
        let Some(engine) = self.engine() else { return Ok(()) };
        tensors.iter().try_for_each(|(_, tensor)| {
            let mut tensor = tensor.shallow_clone();
            self.exchange(operation, &mut tensor, |dense| engine.broadcast(dense, 0))
        })
    }

    /// Begins an all_reduce of a dense f32 tensor on this group's device, which all ranks have in
    /// the same shape; `None` in a world of one.
    pub(crate) fn begin_all_reduce(
        &self,
        operation: &'static str,
        tensor: Tensor,
        op: ReduceOp,
    ) -> Result<Pending> {
        let work = match self.engine() {
            Some(engine) => {
                let work = engine.begin_all_reduce(&tensor, op.code());
                Some(work.map_err(|error| self.failed(operation, error))?)
            }
            None => None,
        };
        Ok(Pending { group: self.clone(), operation, tensor, work })
    }

    fn gather_unchecked(&self, engine: &Engine, tensor: &Tensor) -> Result<Vec<Tensor>> {
        let gathered: Vec<Tensor> = (0..self.world_size()).map(|_| tensor.zeros_like()).collect();
        engine.all_gather(tensor, &gathered)?;
        Ok(gathered)
    }

    /// Whether all ranks are about to do the same to tensors of one shape.
    fn agree(
        &self,
        engine: &Engine,
        operation: &'static str,
        call: &str,
        tensor: &Tensor,
    ) -> Result<()> {
        if tensor.device() != self.device() {
            let expected = format!("a tensor on the group's device, {:?}", self.device());
            let got = format!("one on {:?}", tensor.device());
            return Err(Error::Shape { operation, expected, got });
        }
        let call = match call {
            "barrier" => call.to_owned(),
            call => format!("{call} with {:?} {:?}", tensor.kind(), tensor.size()),
        };
        // A few bytes of each first: whole texts are only exchanged where they differ.
        let mut digest = [0u8; DIGEST];
        digest.copy_from_slice(&fnv(call.as_bytes()).to_le_bytes());
        let digest = Tensor::from_slice(&digest).to_device(self.device());
        let digests = self
            .gather_unchecked(engine, &digest)
            .map_err(|error| self.failed(operation, error))?;
        if digests.iter().all(|other| *other == digest) {
            return Ok(());
        }
        let calls = self.all_gather_text(operation, &call)?;
        let calls = calls.iter().enumerate().map(|(rank, call)| format!("rank {rank} {call}"));
        let reason =
            format!("the ranks make different calls ({})", calls.collect::<Vec<_>>().join("; "));
        let remedy = "Every rank makes the same calls, in the same order, with tensors of one shape \
                      and kind.";
        Err(self.disagreement(operation, reason, remedy))
    }

    /// Lets `engine` change a dense form of the tensor, which the tensor then takes over.
    fn exchange(
        &self,
        operation: &'static str,
        tensor: &mut Tensor,
        change: impl Fn(&Tensor) -> Result<()>,
    ) -> Result<()> {
        if tensor.numel() == 0 {
            return Ok(());
        }
        let detached = tensor.detach();
        let dense = carried(&detached.contiguous());
        change(&dense).map_err(|error| self.failed(operation, error))?;
        if dense.data_ptr() != detached.data_ptr() {
            tch::no_grad(|| tensor.f_copy_(&dense).map(drop))?;
        }
        Ok(())
    }
}

/// What a rank says that was interrupted.
const INTERRUPTED: &str = "!";

/// Bytes of a call's digest.
const DIGEST: usize = 8;

/// Fowler, Noll and Vo's hash (FNV-1a), the same on every machine.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// In a kind that gloo and NCCL carry: booleans travel as bytes.
fn carried(dense: &Tensor) -> Tensor {
    match dense.kind() {
        Kind::Bool => dense.to_kind(Kind::Uint8),
        _ => dense.shallow_clone(),
    }
}

fn is_float(kind: Kind) -> bool {
    matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16)
}

/// An all_reduce that was begun ([`ProcessGroup::begin_all_reduce`]).
pub(crate) struct Pending {
    group: ProcessGroup,
    operation: &'static str,
    tensor: Tensor,
    work: Option<Work>,
}

impl Pending {
    /// The result, once all ranks have begun it.
    pub(crate) fn wait(self) -> Result<Tensor> {
        if let Some(work) = self.work {
            work.wait().map_err(|error| self.group.failed(self.operation, error))?;
        }
        Ok(self.tensor)
    }
}
