//! The figures of a row, and how peers compare by them.
//!
//! A machine's speed changes from minute to minute, at times by half, and every figure with it. So two peers are compared
//! round by round, in each of which all were measured one after the other, and of these ratios the median is taken:
//!
//! ```text
//!   round       1     2     3     4     5
//!   oneloop    80    81   130   128   129 ns    the machine was slow from round 3 on,
//!   tokio     130   132   209   206   133 ns    and became fast again in the middle of round 5
//!   ratio    1.63  1.63  1.61  1.61  1.03       the median: 1.61; the ratio of the medians: 1.04
//! ```

use crate::measure::median;
use crate::row::{Peer, Target};

/// All figures of one peer in one row.
pub struct Sample {
    pub peer: Peer,
    /// Round by round; never empty. Whoever has fewer than another has none of the last rounds.
    figures: Vec<f64>,
}

impl Sample {
    /// `None`: there is none, or the peer could not be measured.
    pub fn of(peer: Peer, figures: Vec<f64>) -> Option<Sample> {
        let measured = !figures.is_empty() && !figures.iter().any(|figure| figure.is_nan());
        measured.then_some(Sample { peer, figures })
    }

    pub fn figures(&self) -> &[f64] {
        &self.figures
    }

    pub fn median(&self) -> f64 {
        median(&self.figures)
    }

    pub fn least(&self) -> f64 {
        self.figures.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn most(&self) -> f64 {
        self.figures.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// How many times as much as the other this took, in each round that both have.
    pub fn ratios(&self, other: &Sample) -> Vec<f64> {
        self.figures.iter().zip(&other.figures).map(|(own, other)| own / other).collect()
    }

    /// How many times as much as the other this took: the median of the rounds.
    pub fn times(&self, other: &Sample) -> f64 {
        median(&self.ratios(other))
    }
}

/// The sample of a peer, if it has one.
pub fn of(samples: &[Sample], peer: Peer) -> Option<&Sample> {
    samples.iter().find(|sample| sample.peer == peer)
}

/// Whether a target was met.
pub struct Verdict {
    /// Whether the median meets it.
    pub met: bool,
    /// The rounds that met it, each for itself, …
    pub rounds_met: usize,
    /// … of so many.
    pub rounds: usize,
}

impl Verdict {
    /// What a row's figures say of its target; `None`: there is none, or nobody to compare with.
    pub fn of(target: Target, samples: &[Sample]) -> Option<Verdict> {
        let ours = of(samples, Peer::Oneloop)?;
        match target {
            Target::TimesTokio(times) => {
                let tokios = samples.iter().filter(|sample| sample.peer.is_tokio());
                let best = tokios.min_by(|one, other| one.times(ours).total_cmp(&other.times(ours)))?;
                Some(Verdict::by(&best.ratios(ours), |ratio| ratio >= times))
            }
            Target::AtMost(most) => Some(Verdict::by(ours.figures(), |figure| figure <= most)),
            Target::AboveBare(percent) => {
                let ratios = ours.ratios(of(samples, Peer::Bare)?);
                Some(Verdict::by(&ratios, |ratio| ratio <= 1.0 + percent / 100.0))
            }
            Target::None => None,
        }
    }

    fn by(figures: &[f64], meets: impl Fn(f64) -> bool) -> Verdict {
        let rounds_met = figures.iter().filter(|figure| meets(**figure)).count();
        Verdict { met: meets(median(figures)), rounds_met, rounds: figures.len() }
    }

    /// Whether further rounds would hardly turn it round: if the median were just at the target, each round would be a
    /// throw of a coin, and only one series in a hundred as one-sided as this.
    pub fn is_sure(&self) -> bool {
        let (met, rounds) = (self.rounds_met as f64, self.rounds as f64);
        // The deviation of so many throws is half of their root, and 99 % lie within 2.58 deviations.
        (met - rounds / 2.0).abs() > 2.58 * rounds.sqrt() / 2.0
    }
}
