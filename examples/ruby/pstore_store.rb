# frozen_string_literal: true

# Sessions in a store of your own: here a file of PStore, Ruby's transactional store, which several processes may use.
#
#     KHUFU_LIBRARY=target/stage/lib/libkhufu.so ruby -I bindings/ruby/lib examples/ruby/pstore_store.rb

require "khufu"
require "pstore"
require "tmpdir"

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

      put(key, record, generation, ttl)
      :ok
    end
  end

  def touch(key, generation, record, ttl)
    @sessions.transaction do
      _, found = live(key)
      put(key, record, generation, ttl) if found == generation
    end
  end

  def delete(key)
    @sessions.transaction { @sessions.delete(key) }
  end

  private

  def put(key, record, generation, ttl)
    @sessions[key] = [record, generation, ttl && Time.now + ttl]
  end

  # An expired record is not there.
  def live(key)
    found = @sessions[key]
    found unless found && found[2] && found[2] < Time.now
  end
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
    header = first.commit.first[/\A[^;]*/]

    # Two requests of one visitor at once: what both write stays.
    one = factory.open(header)
    other = factory.open(header)
    one["name"] = "Ada"
    other.flash("Saved.")
    [one, other].each(&:commit)
    puts factory.open(header).to_json

    logout = factory.open(header).invalidate
    logout.commit
    puts factory.open(header).load_result
  end
end
