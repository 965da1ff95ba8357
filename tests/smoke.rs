use oneloop::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

#[test]
fn everything() {
    let lp = EventLoop::builder().virtual_time().build().unwrap();
    let log = Rc::new(RefCell::new(vec![]));
    let t0 = lp.time();
    let l = log.clone();
    lp.call_later(Duration::from_secs(3600), move || l.borrow_mut().push("later"));
    let l = log.clone();
    lp.call_soon(move || l.borrow_mut().push("soon"));
    let l = log.clone();
    let out = lp.run_until_complete(async move {
        let l2 = l.clone();
        let h = spawn(async move { sleep(Duration::from_secs(7200)).await; l2.borrow_mut().push("slept"); 5 });
        l.borrow_mut().push("main");
        let j = spawn_blocking(|| { 7 }).await.unwrap();
        let h2 = spawn(async { panic!("boom") });
        let e: Result<(), _> = h2.await;
        assert!(e.unwrap_err().is_panic());
        let h3 = spawn(std::future::pending::<()>());
        yield_now().await;
        println!("{h3:?}");
        h3.cancel();
        assert!(h3.await.unwrap_err().is_cancelled());
        println!("{h:?}");
        h.await.unwrap() + j
    });
    assert_eq!(out, 12);
    assert_eq!(*log.borrow(), ["soon", "main", "later", "slept"]);
    assert_eq!(lp.time() - t0, Duration::from_secs(7200));
}

#[test]
fn tcp() {
    run(async {
        let l = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let a = l.local_addr().unwrap();
        let s = spawn(async move {
            let (s, _) = l.accept().await.unwrap();
            let mut b = [0; 100];
            loop {
                let n = s.read(&mut b).await.unwrap();
                if n == 0 { break; }
                s.write_all(&b[..n]).await.unwrap();
            }
        });
        let c = net::TcpStream::connect(a).await.unwrap();
        for _ in 0..1000 {
            c.write_all(b"hello").await.unwrap();
            let mut b = [0; 10];
            assert_eq!(c.read(&mut b).await.unwrap(), 5);
        }
        c.shutdown(std::net::Shutdown::Both).unwrap();
        s.await.unwrap();
    });
}

#[test]
fn remote_thread() {
    let lp = EventLoop::new().unwrap();
    let r = lp.remote();
    let t = std::thread::spawn(move || {
        let h = r.spawn(|| async { sleep(Duration::from_millis(5)).await; 9 });
        let v = h.wait().unwrap();
        r.call_soon(stop).unwrap();
        v
    });
    lp.run_forever();
    assert_eq!(t.join().unwrap(), 9);
}

#[test]
fn bench() {
    // yield
    let n = 1000; let k = 1000;
    let lp = EventLoop::new().unwrap();
    let t = Instant::now();
    lp.run_until_complete(async {
        let hs: Vec<_> = (0..n).map(|_| spawn(async move { for _ in 0..k { yield_now().await } })).collect();
        for h in hs { h.await.unwrap(); }
    });
    println!("yield {:.1} ns", t.elapsed().as_nanos() as f64 / (n * k) as f64);
    let t = Instant::now();
    lp.run_until_complete(async {
        for _ in 0..1000 {
            let hs: Vec<_> = (0..1000).map(|_| spawn(async move { 1 })).collect();
            for h in hs { h.await.unwrap(); }
        }
    });
    println!("spawn_join {:.1} ns", t.elapsed().as_nanos() as f64 / 1e6);
    let t = Instant::now();
    lp.run_until_complete(async {
        for _ in 0..20000 { spawn_blocking(|| ()).await.unwrap(); }
    });
    println!("blocking {:.2} us", t.elapsed().as_nanos() as f64 / 20000.0/1000.0);
    let t = Instant::now();
    lp.run_until_complete(async {
        for i in 0..1_000_000u64 { drop(spawn(sleep(Duration::from_secs(1 + i % 60)))); }
        yield_now().await; yield_now().await;
    });
    println!("spawn sleeping {:.1} ns", t.elapsed().as_nanos() as f64 / 1e6);
    let st = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", st.lines().find(|l| l.starts_with("VmRSS")).unwrap());
    let t = Instant::now();
    drop(lp);
    println!("drop {:.1} ns", t.elapsed().as_nanos() as f64 / 1e6);
}
