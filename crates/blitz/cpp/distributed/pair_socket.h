// Belongs to src/distributed/engine.rs: a connection between two processes.
#pragma once

#include <c10/util/Exception.h>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>

namespace blitz {

// A connection to the other one of two processes, for messages that both send at the same time. Whoever
// waits for the other looks again and again, for as long as a step of a small net takes: to sleep and
// be woken would take as long as the message.
class PairSocket {
 public:
  using Clock = std::chrono::steady_clock;
  using Timeout = std::chrono::milliseconds;

  PairSocket(const PairSocket&) = delete;
  PairSocket& operator=(const PairSocket&) = delete;
  ~PairSocket() {
    close(fd_);
  }

  // Connects the two, who meet in `store`; the first listens on the interface of `host`.
  static std::unique_ptr<PairSocket> connect(
      c10d::Store& store, int rank, const std::string& host, Timeout timeout) {
    const auto deadline = Clock::now() + timeout;
    const int fd = rank == 0 ? accept_other(store, host, deadline) : reach_other(store, deadline);
    return std::unique_ptr<PairSocket>(new PairSocket(fd));
  }

  // Sends `bytes` bytes to the other and receives as many.
  void exchange(const void* outgoing, void* incoming, size_t bytes, Timeout timeout) {
    size_t sent = 0, received = 0;
    const auto begun = Clock::now();
    auto last = begun;
    while (sent < bytes || received < bytes) {
      const bool has_moved = send_some(static_cast<const char*>(outgoing), bytes, sent) |
          receive_some(static_cast<char*>(incoming), bytes, received);
      const auto now = Clock::now();
      if (has_moved) {
        last = now;
      } else if (now - last < kPatience) {
        sched_yield();
      } else {
        const auto left = std::chrono::duration_cast<Timeout>(begun + timeout - now);
        TORCH_CHECK(
            left.count() > 0 && wait(sent < bytes, left),
            "Timed out waiting ", timeout.count(), "ms for the other process");
      }
    }
  }

 private:
  // As long as it is worth looking again before going to sleep.
  static constexpr std::chrono::milliseconds kPatience{2};
  // What the two may have on the way without waiting for each other.
  static constexpr int kBufferBytes = 1 << 20;
  static constexpr const char* kKey = "pair";
  static constexpr size_t kTokenBytes = 32;

  explicit PairSocket(int fd) : fd_(fd) {
    const int one = 1, room = kBufferBytes;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  }

  // A descriptor that is closed unless it is handed on.
  struct Owned {
    int fd;
    ~Owned() {
      if (fd >= 0) {
        close(fd);
      }
    }
    int release() {
      return std::exchange(fd, -1);
    }
  };

  static void check(bool ok, const char* what) {
    TORCH_CHECK(ok, what, " failed: ", std::strerror(errno));
  }

  static std::shared_ptr<addrinfo> resolve(const std::string& host, const char* port, int flags) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    const int failed = getaddrinfo(host.c_str(), port, &hints, &found);
    TORCH_CHECK(failed == 0, "the address ", host, " is not known: ", gai_strerror(failed));
    return {found, freeaddrinfo};
  }

  static int accept_other(
      c10d::Store& store, const std::string& host, Clock::time_point deadline) {
    const auto place = resolve(host, "0", AI_PASSIVE);
    Owned listening{socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    check(listening.fd >= 0, "socket");
    check(bind(listening.fd, place->ai_addr, place->ai_addrlen) == 0, "bind");
    check(listen(listening.fd, 8) == 0, "listen");
    sockaddr_storage address{};
    socklen_t length = sizeof(address);
    auto* plain = reinterpret_cast<sockaddr*>(&address);
    check(getsockname(listening.fd, plain, &length) == 0, "getsockname");
    char name[NI_MAXHOST], port[NI_MAXSERV];
    const int flags = NI_NUMERICHOST | NI_NUMERICSERV;
    const int failed =
        getnameinfo(plain, length, name, sizeof(name), port, sizeof(port), flags);
    TORCH_CHECK(failed == 0, "getnameinfo failed: ", gai_strerror(failed));
    const std::string token = make_token();
    store.set(kKey, bytes(token + port + " " + name));
    for (;;) {
      pollfd waiting{listening.fd, POLLIN, 0};
      const auto left =
          std::chrono::duration_cast<Timeout>(deadline - Clock::now()).count();
      TORCH_CHECK(
          left > 0 && poll(&waiting, 1, static_cast<int>(left)) > 0,
          "Timed out waiting for the other process to connect");
      Owned other{accept4(listening.fd, nullptr, nullptr, SOCK_CLOEXEC)};
      // Anybody can connect; only who has read the store knows this.
      if (other.fd >= 0 && says(other.fd, token)) {
        return other.release();
      }
    }
  }

  static int reach_other(c10d::Store& store, Clock::time_point deadline) {
    store.wait({kKey}, std::chrono::duration_cast<Timeout>(deadline - Clock::now()));
    const auto value = store.get(kKey);
    const std::string text(value.begin(), value.end());
    const auto space = text.find(' ', kTokenBytes);
    TORCH_CHECK(space != std::string::npos, "the other process has another version");
    const std::string port = text.substr(kTokenBytes, space - kTokenBytes);
    const auto place = resolve(text.substr(space + 1), port.c_str(), AI_NUMERICHOST);
    Owned own{socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    check(own.fd >= 0, "socket");
    check(::connect(own.fd, place->ai_addr, place->ai_addrlen) == 0, "connect");
    check(
        send(own.fd, text.data(), kTokenBytes, MSG_NOSIGNAL) == ssize_t{kTokenBytes}, "send");
    return own.release();
  }

  static std::string make_token() {
    std::random_device random;
    const char digits[] = "0123456789abcdef";
    std::string token(kTokenBytes, '0');
    for (auto& digit : token) {
      digit = digits[random() % 16];
    }
    return token;
  }

  static std::vector<uint8_t> bytes(const std::string& text) {
    return {text.begin(), text.end()};
  }

  // Whether `token` comes from `fd` within a second.
  static bool says(int fd, const std::string& token) {
    timeval second{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
    char said[kTokenBytes];
    return recv(fd, said, kTokenBytes, MSG_WAITALL) == ssize_t{kTokenBytes} &&
        token.compare(0, kTokenBytes, said, kTokenBytes) == 0;
  }

  bool send_some(const char* outgoing, size_t bytes, size_t& sent) {
    if (sent == bytes) {
      return false;
    }
    const auto count = send(fd_, outgoing + sent, bytes - sent, MSG_NOSIGNAL);
    return moved(count, sent);
  }

  bool receive_some(char* incoming, size_t bytes, size_t& received) {
    if (received == bytes) {
      return false;
    }
    const auto count = recv(fd_, incoming + received, bytes - received, 0);
    TORCH_CHECK(count != 0, "Connection closed by peer");
    return moved(count, received);
  }

  static bool moved(ssize_t count, size_t& done) {
    if (count < 0) {
      check(errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR, "the exchange");
      return false;
    }
    done += static_cast<size_t>(count);
    return count > 0;
  }

  // Sleeps until something can be done; false where the time is over.
  bool wait(bool has_to_send, Timeout timeout) {
    pollfd waiting{fd_, static_cast<short>(has_to_send ? POLLIN | POLLOUT : POLLIN), 0};
    const auto most = std::min<int64_t>(timeout.count(), 1000 * 1000 * 1000);
    const int ready = poll(&waiting, 1, static_cast<int>(most));
    check(ready >= 0 || errno == EINTR, "poll");
    return ready != 0;
  }

  const int fd_;
};

}  // namespace blitz
