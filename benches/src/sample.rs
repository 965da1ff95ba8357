//! The figures of a row, and how peers compare by them.
//!
//! A machine's speed changes from minute to minute, at times by half, and every figure with it. So two peers are compared
//! round by round, in each of which both were measured shortly after one another, and of these ratios the median is taken:
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
    /// By what part of it the median may change if rounds are measured without end, with 99 %. `None`: there were too few to
    /// tell.
    margin: Option<f64>,
}

impl Verdict {
    /// What a row's figures say of its target; `None`: there is none, or nobody to compare with.
    pub fn of(target: Target, samples: &[Sample]) -> Option<Verdict> {
        let ours = of(samples, Peer::Oneloop)?;
        match target {
            Target::TimesTokio(times) => {
                let tokios = samples.iter().filter(|sample| sample.peer.is_tokio());
                let best = tokios.min_by(|one, other| one.times(ours).total_cmp(&other.times(ours)))?;
                Some(Verdict::by(best.ratios(ours), |ratio| ratio >= times))
            }
            Target::AtMost(most) => Some(Verdict::by(ours.figures().to_vec(), |figure| figure <= most)),
            Target::AboveBare(percent) => {
                let ratios = ours.ratios(of(samples, Peer::Bare)?);
                Some(Verdict::by(ratios, |ratio| ratio <= 1.0 + percent / 100.0))
            }
            Target::None => None,
        }
    }

    fn by(mut figures: Vec<f64>, meets: impl Fn(f64) -> bool) -> Verdict {
        figures.sort_by(f64::total_cmp);
        let (rounds, median) = (figures.len(), median(&figures));
        let rounds_met = figures.iter().filter(|figure| meets(**figure)).count();
        // Of figures without end, so many of these lie below the median at least, and as many above it.
        let outside = (rounds as f64 / 2.0 - luck(rounds)) as usize;
        let margin = outside.checked_sub(1).map(|least| {
            let (low, high) = (figures[least], figures[rounds - outside]);
            (high - median).max(median - low) / median
        });
        Verdict { met: meets(median), rounds_met, rounds, margin }
    }

    /// Whether it is clear from so many rounds if the target is met: by chance as many would be on one side in one series
    /// of a hundred. (Whoever asks after each round, and stops when it is clear, is misled more often, where the median
    /// is nearly the target.)
    pub fn is_clear(&self) -> bool {
        (self.rounds_met as f64 - self.rounds as f64 / 2.0).abs() > luck(self.rounds)
    }

    /// Whether the median is known to within a twentieth.
    pub fn is_exact(&self) -> bool {
        self.margin.is_some_and(|margin| margin <= 0.05)
    }
}

/// By how much the number of heads differs at most from half, in 99 of 100 series of so many throws of a coin. How many figures
/// lie above the median of all that could be measured is such a number.
fn luck(throws: usize) -> f64 {
    // The deviation is half of the root, and 99 % lie within 2.58 of it.
    2.58 * (throws as f64).sqrt() / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(peer: Peer, figures: &[f64]) -> Sample {
        Sample::of(peer, figures.to_vec()).expect("all are figures")
    }

    #[test]
    fn peers_are_compared_round_by_round() {
        let ours = sample(Peer::Oneloop, &[80.0, 81.0, 130.0, 128.0, 129.0, 500.0]);
        let tokio = sample(Peer::Tokio, &[130.0, 132.0, 209.0, 206.0, 133.0]);
        assert_eq!((tokio.times(&ours) * 100.0).round(), 161.0);
        let verdict = Verdict::of(Target::TimesTokio(1.5), &[ours, tokio]).expect("both are there");
        assert_eq!((verdict.met, verdict.rounds_met, verdict.rounds), (true, 4, 5));
        assert!(!verdict.is_clear() && !verdict.is_exact());
    }

    #[test]
    fn what_could_not_be_measured_is_no_sample_and_decides_nothing() {
        assert!(Sample::of(Peer::Bare, vec![1.0, f64::NAN]).is_none());
        assert!(Verdict::of(Target::AboveBare(1.0), &[sample(Peer::Oneloop, &[1.0])]).is_none());
    }

    #[test]
    fn many_rounds_make_it_clear_and_exact() {
        let figures: Vec<f64> = (0..40).map(|round| 100.0 + f64::from(round % 8)).collect();
        let bare = sample(Peer::Bare, &[100.0; 40]);
        let verdict = |percent| {
            let samples = [sample(Peer::Oneloop, &figures), sample(Peer::Bare, bare.figures())];
            Verdict::of(Target::AboveBare(percent), &samples).expect("both are there")
        };
        // The ratios are 1.00 to 1.07, five of each.
        assert!(verdict(6.5).met && verdict(6.5).is_clear() && verdict(6.5).is_exact());
        assert!(!verdict(3.2).met && !verdict(3.2).is_clear() && verdict(3.2).is_exact());
        assert_eq!(verdict(3.2).rounds_met, 20);
        assert!(!verdict(0.5).met && verdict(0.5).is_clear());
    }
}
