//! The part of the images that each process of a training sees.

use tch::{Kind, Tensor};

use crate::distributed::ProcessGroup;
use crate::error::{Error, Result};

/// Gives each process of a group its own part of every epoch, as
/// `torch.utils.data.distributed.DistributedSampler` does: the epoch's order is the same on all
/// ranks (that of `torch.Generator().manual_seed(seed + epoch)`, the epochs counted from 0), and rank r
/// gets its places r, r + world, r + 2 · world, …
///
/// [`fit`](crate::train::fit::fit) and [`evaluate`](crate::train::metrics::evaluate) put together what
/// the group's ranks find out, each on its part.
#[derive(Clone, Debug)]
pub struct DistributedSampler {
    /// The processes.
    pub group: ProcessGroup,
    /// What happens where their number does not divide that of the images.
    pub tail: Tail,
}

impl DistributedSampler {
    /// A part for each process of `group`, filled up to the same size, as Python's by default.
    pub fn new(group: &ProcessGroup) -> DistributedSampler {
        DistributedSampler { group: group.clone(), tail: Tail::Pad }
    }
}

/// What happens to the last images where the number of processes does not divide that of the images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tail {
    /// The epoch's first images are taken once more, so that all parts are of one size.
    #[default]
    Pad,
    /// They are left out (`drop_last=True`).
    Drop,
    /// Some parts are smaller by one. For evaluation: ranks of a training make as many steps.
    Keep,
}

/// A part of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    rank: i64,
    world_size: i64,
    /// Images of the data set.
    images: i64,
    /// Places of the epoch, of all ranks.
    places: i64,
}

impl Shard {
    /// The part that `sampler` gives this process of `images`; all of them without one.
    pub(super) fn new(sampler: Option<&DistributedSampler>, images: i64) -> Result<Shard> {
        let Some(DistributedSampler { group, tail }) = sampler else {
            return Ok(Shard { rank: 0, world_size: 1, images, places: images });
        };
        let (rank, world_size) = (group.rank() as i64, group.world_size() as i64);
        if images < world_size {
            let expected = format!("one with an image for each of the {world_size} ranks");
            return Err(Error::option("sampler", expected, format!("{images} images")));
        }
        let places = match tail {
            Tail::Pad => (images + world_size - 1) / world_size * world_size,
            Tail::Drop => images / world_size * world_size,
            Tail::Keep => images,
        };
        Ok(Shard { rank, world_size, images, places })
    }

    /// Images of this part, in each epoch.
    pub(super) fn len(self) -> i64 {
        (self.places - self.rank + self.world_size - 1) / self.world_size
    }

    /// Places of the epoch, of all ranks.
    pub(super) fn places(self) -> i64 {
        self.places
    }

    /// Of an epoch's places, i64 `[len]`, those of this part.
    pub(super) fn own_places(self) -> Tensor {
        let int = (Kind::Int64, tch::Device::Cpu);
        Tensor::arange_start_step(self.rank, self.places, self.world_size, int)
    }

    /// Of the order of all images, i64 `[images]`, this part: i64 `[len]`.
    pub(super) fn of(self, order: &Tensor) -> Tensor {
        match self.world_size {
            1 => order.shallow_clone(),
            _ => order.index_select(0, &self.own_places().remainder(self.images)),
        }
    }
}

/// What each rank has a row of for each image of its part, `[len, …]`, in the order of the whole
/// epoch, without the images that are there twice: `[N, …]`, on all ranks.
pub(crate) fn gather_rows(
    sampler: &DistributedSampler,
    rows: &Tensor,
    images: i64,
) -> Result<Tensor> {
    let shard = Shard::new(Some(sampler), images)?;
    let most = (shard.places + shard.world_size - 1) / shard.world_size;
    let mut size = rows.size();
    size[0] = most - size[0];
    let filled = Tensor::f_cat(&[rows, &Tensor::f_zeros(&size, (rows.kind(), rows.device()))?], 0)?;
    let all = sampler.group.all_gather(&filled)?;
    // [most, world, …]: the place p of the epoch is row p / world of rank p % world.
    let interleaved = Tensor::f_stack(&all, 1)?.f_flatten(0, 1)?;
    Ok(interleaved.f_narrow(0, 0, shard.places.min(images))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(rank: i64, world_size: i64, images: i64, places: i64) -> Vec<i64> {
        let order = Tensor::arange(images, (Kind::Int64, tch::Device::Cpu)) * 10;
        let shard = Shard { rank, world_size, images, places };
        let own = Vec::try_from(shard.of(&order)).unwrap();
        assert_eq!(shard.len(), own.len() as i64);
        own
    }

    #[test]
    fn parts_are_every_nth_image() {
        assert_eq!(part(0, 1, 3, 3), [0, 10, 20]);
        assert_eq!(part(0, 2, 5, 6), [0, 20, 40]);
        assert_eq!(part(1, 2, 5, 6), [10, 30, 0], "padded by the first");
        assert_eq!(part(1, 2, 5, 4), [10, 30]);
        assert_eq!(part(1, 2, 5, 5), [10, 30], "kept: smaller by one");
        assert_eq!(part(0, 2, 5, 5), [0, 20, 40]);
    }
}
