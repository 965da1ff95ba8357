use oneloop::{spawn_named, yield_now};

async fn sum(name: &str, gives_way: bool) {
    let mut sum = 0_u64;
    for number in 1..=30_000 {
        sum += number;
        if number % 10_000 == 0 {
            println!("{name}: {sum}");
            if gives_way {
                yield_now().await;
            }
        }
    }
}

pub fn main() {
    oneloop::run(async {
        for (one, other, gives_way) in [("a", "b", false), ("c", "d", true)] {
            let one = spawn_named(one, sum(one, gives_way));
            let other = spawn_named(other, sum(other, gives_way));
            one.await.expect("it does not panic");
            other.await.expect("it does not panic");
        }
    });
}
