use std::time::Duration;

pub fn main() {
    oneloop::run(async {
        let begin = oneloop::time();
        let now = || (oneloop::time() - begin).as_secs();

        let tea = oneloop::sleep(Duration::from_secs(3));
        println!("{} s: the tea is made", now());
        oneloop::sleep(Duration::from_secs(2)).await;
        println!("{} s: back from the door", now());
        tea.await;
        println!("{} s: the tea is ready", now());

        let egg = oneloop::sleep(Duration::from_secs(1));
        oneloop::sleep(Duration::from_secs(5)).await;
        println!("{} s: oh, the egg", now());
        egg.await;
        println!("{} s: the egg is ready", now());
    });
}
