# frozen_string_literal: true

# Measures the request cycle (open, read two keys, set one, commit, close) from Ruby. benches/cycle.rs measures it from
# Rust and C, with sessions of the same sizes, and compares it with the minimum cost of the cookie format.

require "khufu"

NOW = 1_700_000_000
ROUNDS = 200
CYCLES = 50

# A state of about this many bytes of JSON: a login, a CSRF token, the time of the last visit and a cart.
def state(bytes)
  state = { user_id: 42, name: "Zoe Example", _csrft_: "00112233445566778899aabbccddeeff00112233", seen: 1_699_999_999 }
  while JSON.generate(state).length + 40 < bytes
    number = state.length
    state["item_#{number}"] = { sku: "A-#{number}", quantity: 2, gift: false }
  end
  state
end

def cycle(factory, header)
  factory.open(header, now: NOW + 1) do |session|
    session["user_id"]
    session["_csrft_"]
    session["seen"] = 1_700_000_001
    session.commit
  end
end

def nanoseconds = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)

# Returns the shortest time of a cycle, in nanoseconds.
def shortest
  Array.new(ROUNDS) do
    start = nanoseconds
    CYCLES.times { yield }
    (nanoseconds - start) / CYCLES.to_f
  end.min
end

puts "The request cycle from Ruby in nanoseconds (the shortest of many rounds)\n\n"
puts "hashalg  state     JSON  cookie      Ruby"
%w[sha512 sha256].each do |hashalg|
  factory = Khufu::Factory.new(secret: "itsaseekreet", hashalg: hashalg)
  { small: 120, medium: 600, large: 2800 }.each do |name, bytes|
    session = factory.open(now: NOW).update(state(bytes))
    session.commit
    header = "session=#{session.value}"
    abort "cycle.rb: the session does not open" unless cycle(factory, header).any?
    printf("%-8s %-7s %6d %7d %9.0f\n", hashalg, name, session.to_json.length, header.length, shortest { cycle(factory, header) })
  end
end
