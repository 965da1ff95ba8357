async fn work(name: &str) {
    println!("{name}: begins");
}

pub fn main() {
    oneloop::run(async {
        let b = oneloop::spawn(work("b"));
        let c = oneloop::spawn(work("c"));
        println!("main: both are spawned");
        b.await.expect("printing does not panic");
        println!("main: b has ended");
        c.await.expect("printing does not panic");
        println!("main: c has ended");
    });
}
