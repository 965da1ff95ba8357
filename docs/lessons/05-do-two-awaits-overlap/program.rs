use std::time::Duration;

async fn step(name: &str) {
    oneloop::sleep(Duration::from_secs(1)).await;
    println!("{name} is done");
}

pub fn main() {
    oneloop::run(async {
        step("a").await;
        step("b").await;

        oneloop::gather([step("c"), step("d")]).await;
    });
}
