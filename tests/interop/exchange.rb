# frozen_string_literal: true

# The Ruby peer of the live exchange. README.md describes the protocol.

require "json"
require "khufu"

# Values are converted to Ruby's own and back, unless Ruby cannot represent them: a lone surrogate, and a null that
# represents NaN.
SURROGATE = /\\u[dD][89a-fA-F]/

def write(session, key, json)
  if json.match?(SURROGATE)
    session.store_json(key, json)
  else
    session[key] = JSON.parse(json, max_nesting: 0)
  end
rescue JSON::ParserError
  session.store_json(key, json)
end

def read(session)
  values = session.to_h
  session.each_json.flat_map do |key, json|
    [key, json.match?(SURROGATE) || json.include?("null") ? json : JSON.generate(values.fetch(key), max_nesting: 0)]
  end
end

def answer(request, words)
  case request
  when "factory"
    options = words.each_slice(2).group_by(&:first)
    @factory = Khufu::Factory.new(**options.to_h { |name, pairs| [name.to_sym, pairs.map(&:last)] })
    []
  when "read"
    now, header = words
    @factory.open(header, now: Float(now)) do |session|
      times = [session.renewed, session.created].map { |time| time.to_r.to_f.to_s }
      [session.load_result.name, *times, session.to_json, *read(session)]
    end
  when "write"
    now, header, *pairs = words
    @factory.open(header, now: Float(now)) do |session|
      pairs.each_slice(2) { |key, json| write(session, key, json) }
      committed(session)
    end
  when "open"
    now, header = words
    @session = @factory.open(header, now: Float(now))
    [@session.load_result.name]
  else
    use(@session, request, words)
  end
end

# Commits a session and returns the Set-Cookie values of the response.
def committed(session) = session.commit.filter_map { |name, value| value if name == "Set-Cookie" }

def use(session, request, words)
  case request
  when "get" then return [JSON.generate(session.fetch(*words), max_nesting: 0)]
  when "set" then write(session, *words)
  when "delete" then session.delete(*words)
  when "flash" then session.flash(*words)
  when "pop_flash" then return [JSON.generate(session.pop_flash(*words), max_nesting: 0)]
  when "csrf_token" then return [session.csrf_token]
  when "invalidate" then session.invalidate
  when "regenerate_id" then session.regenerate_id
  when "commit" then return committed(session)
  else
    abort "exchange.rb: unknown request #{request}"
  end
  []
end

def from_hex(word) = word == "-" ? "" : [word].pack("H*").force_encoding(Encoding::UTF_8)

def to_hex(word) = word.empty? ? "-" : word.unpack1("H*")

$stdout.sync = true
$stdin.each_line do |line|
  request, *words = line.split
  verdict, words = begin
    ["ok", answer(request, words.map { |word| from_hex(word) })]
  rescue Khufu::Error => error
    ["error", [error.status.to_s, error.message]]
  end
  puts [verdict, *words.map { |word| to_hex(word) }].join(" ")
end
