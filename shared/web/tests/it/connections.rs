use std::time::Duration;

use tenantry_web::server::ServerHandle;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{interval, timeout};

use crate::client::{PATIENCE, to_end};
use crate::server::{Doors, http, setup, start_with};

fn impatient() -> ServerHandle {
    let mut http = http();
    http.header_timeout = 1;
    http.keep_alive = 1;
    http.write_timeout = 1;
    start_with(setup(http), Doors::new())
}

const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends a request and reads its answer, leaving the connection open.
async fn exchange(stream: &mut TcpStream) {
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"{\"status\":\"ok\"}") {
        let read = timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&answer));
    }
}

/// Sends `bytes` one at a time, with pauses, until the server has had enough.
async fn dribble(stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    let (mut reader, mut writer) = stream.into_split();
    let mut pause = interval(Duration::from_millis(50));
    let mut received = Vec::new();
    let talk = async {
        for byte in bytes.iter().cycle() {
            pause.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
    };
    let listen = async { reader.read_to_end(&mut received).await };
    let ended = timeout(PATIENCE, async {
        tokio::select! { () = talk => {}, _ = listen => {} }
    });
    ended.await.expect("the server ends the connection");
    received
}

#[actix_web::test]
async fn the_first_request_must_arrive_in_time() {
    let server = impatient();
    let stream = TcpStream::connect(server.address()).await.unwrap();
    let answer = dribble(stream, b"GET /livez HTTP/1.1\r\nX: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
}

#[actix_web::test]
async fn so_must_every_other() {
    let server = impatient();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    exchange(&mut stream).await;
    dribble(stream, b"GET /livez HTTP/1.1\r\nX: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").await;

    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    exchange(&mut stream).await;
    stream.write_all(b"GET /li").await.unwrap();
    assert_eq!(to_end(&mut stream).await, b"", "half a request and then silence");
}

#[actix_web::test]
async fn idle_connections_are_closed() {
    let server = impatient();
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    for _ in 0..3 {
        exchange(&mut stream).await;
    }
    assert_eq!(to_end(&mut stream).await, b"");
    let mut silent = TcpStream::connect(server.address()).await.unwrap();
    let answer = to_end(&mut silent).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"));
}

#[actix_web::test]
async fn a_client_that_does_not_read_is_let_go() {
    let mut http = http();
    http.write_timeout = 1;
    let doors = Doors::new();
    let server = start_with(setup(http), doors.clone());
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    timeout(PATIENCE, doors.dropped.acquire()).await.expect("the answer is given up").unwrap().forget();
}

#[actix_web::test]
async fn a_client_that_reads_slowly_is_served() {
    let mut http = http();
    http.header_timeout = 1;
    http.keep_alive = 1;
    http.write_timeout = 2;
    let server = start_with(setup(http), Doors::new());
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut pause = interval(Duration::from_millis(20));
    let mut piece = vec![0; 256 * 1024];
    let mut read = 0;
    // Four seconds: longer than any limit, were it for the whole answer.
    for _ in 0..200 {
        pause.tick().await;
        let n = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
        assert_ne!(n, 0, "cut off after {read} bytes");
        read += n;
    }
}
