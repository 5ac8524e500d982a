# frozen_string_literal: true

# Keeps sessions in a custom store: a file of PStore, the transactional store in Ruby's standard library. Several
# processes can share it.
#
#     KHUFU_LIBRARY=target/stage/lib/libkhufu.so ruby -I bindings/ruby/lib examples/ruby/pstore_store.rb

require "khufu"
require "pstore"
require "tmpdir"

# A store for the option `store`. The documentation of Khufu::Factory#initialize describes its methods.
class PStoreStore
  def initialize(path)
    @sessions = PStore.new(path, true)
  end

  def load(key)
    @sessions.transaction(true) { live(key)&.first(2) }
  end

  def save(key, expected, generation, record, ttl)
    @sessions.transaction do
      _, found = live(key)
      next found ? :conflict : :gone unless found.to_i == expected

      @sessions[key] = [record, generation, end_of(ttl)]
      :ok
    end
  end

  def touch(key, generation, record, ttl) = save(key, generation, generation, record, ttl)

  def remove(key, expected)
    @sessions.transaction do
      _, found = live(key)
      next :gone unless found
      next :conflict unless [0, found].include?(expected)

      @sessions.delete(key)
      :ok
    end
  end

  # The following methods note which sessions belong to which user, so that a user's sessions can be listed and ended.

  def list(subject, key, ttl)
    @sessions.transaction do
      keys = listed(subject)
      @sessions[subject] = keys.merge(key => [keys[key], end_of(ttl)].compact.max)
    end
  end

  def unlist(subject, key)
    @sessions.transaction { @sessions[subject] = listed(subject).except(key) }
  end

  def members(subject)
    @sessions.transaction(true) { listed(subject).keys }
  end

  private

  NEVER = Time.at(1 << 40)
  private_constant :NEVER

  def end_of(ttl) = ttl ? Time.now + ttl : NEVER

  # Returns the record of a key, unless it has expired.
  def live(key)
    found = @sessions[key]
    found if found && found[2] > Time.now
  end

  # Returns a subject's keys, each with the time until which it is listed.
  def listed(subject) = (@sessions[subject] || {}).select { |_, time| time > Time.now }
end

if $PROGRAM_NAME == __FILE__
  Dir.mktmpdir do |folder|
    factory = Khufu::Factory.new(
      store: PStoreStore.new(File.join(folder, "sessions.pstore")),
      secret: ENV.fetch("SESSION_SECRET") { Khufu.generate_secret },
      httponly: true
    )
    first = factory.open
    first["cart"] = ["A-1"]
    first.subject = "user-42"
    first.commit
    value = first.value # the value of the cookie that the browser sends with each request

    # Two concurrent requests of one visitor. The changes of both are kept.
    one = factory.open_value(value)
    other = factory.open_value(value)
    one["name"] = "Ada"
    other.flash("Saved.")
    [one, other].each(&:commit)
    puts factory.open_value(value).to_json

    puts "#{factory.subject('user-42').revoke_all} session ended" # in all browsers of the user
    puts factory.open_value(value).load_result
  end
end
