# frozen_string_literal: true

require_relative "helper"

# Each kind of failure has its own class.
class ErrorTest < SessionTest
  STATUSES = {
    Khufu::ArgumentError => 2, Khufu::EncodingError => 3, Khufu::JSONError => 4, Khufu::TypeError => 5,
    Khufu::RangeError => 6, Khufu::TooLargeError => 7, Khufu::OptionError => 8, Khufu::UnsupportedError => 9,
    Khufu::RandomError => 10, Khufu::InternalError => 11, Khufu::StoreError => 12, Khufu::ConflictError => 13,
    Khufu::GoneError => 14, Khufu::ReservedKeyError => 15
  }.freeze

  def test_every_class_has_its_status
    assert_equal STATUSES.keys.sort_by(&:name), Khufu::Error.subclasses.sort_by(&:name)
    assert_operator Khufu::Error, :<, StandardError
    STATUSES.each { |error, status| assert_equal status, error.new.status }
  end

  def test_every_status_of_the_header_has_its_class
    header = File.read(File.expand_path("../../../include/khufu.h", __dir__))
    numbers = header.scan(/\bKHUFU_ERR_\w+\s*=?\s*\(?(\d+)/).map { |number,| number.to_i }.uniq
    pending = 16 # KHUFU_ERR_PENDING, which no store in Ruby returns
    assert_equal STATUSES.values, numbers.sort - [pending]
  end

  def test_status_becomes_its_class
    STATUSES.each do |error, status|
      raised = Khufu::Error.for(status, "what failed")
      assert_equal [error, "what failed"], [raised.class, raised.message]
      assert_match(/\w+ \w+/, Khufu::Error.for(status, "").message)
    end
    assert_instance_of Khufu::InternalError, Khufu::Error.for(99, "")
  end

  def test_failures_have_their_status
    session = open_state('{"_f_":1}')
    raised = {
      2 => -> { factory.open(nil, now: Float::NAN) }, 3 => -> { session["a"] = "\xff" }, 4 => -> { session["a"] = Object },
      5 => -> { session.pop_flash }, 6 => -> { session["a"] = Float::NAN }, 8 => -> { factory(colour: 1) },
      7 => -> { (session["a"] = "x" * 5000) and session.commit }
    }
    raised.each { |status, failing| assert_equal status, assert_raises(Khufu::Error, &failing).status }
  end

  def test_error_returns_the_message_of_the_last_failure
    session = open_state('{"_f_":1}')
    assert_nil session.error
    error = assert_raises(Khufu::TypeError) { session.peek_flash }
    assert_equal error.message, session.error
    assert_equal Encoding::UTF_8, session.error.encoding
  end

  # Calls every public method with each argument in turn replaced by values of the wrong type.
  def test_arguments_of_the_wrong_type_raise_errors_of_khufu
    store = factory(type: :store)
    subject = store.subject("user-42")
    session = store.open.update("a" => { "b" => "c" })
    [Object.new, 1, nil, true, 1.5, ["a"], { 1 => 2 }, 1..2, "\xff"].each do |wrong|
      {
        session => {
          :[] => [[wrong]], :[]= => [[wrong, 1], ["k", { wrong => 1 }], ["k", [wrong]]], fetch: [[wrong], [wrong, 1]], key?: [[wrong]],
          dig: [[wrong], ["a", "b", wrong], [wrong, "b"]], values_at: [["a", wrong]], fetch_values: [["a", wrong]], slice: [[wrong]],
          json: [[wrong]], store: [[wrong, 1]], store_json: [[wrong, "1"], ["k", wrong]], delete: [[wrong]],
          setdefault: [[wrong, 1], ["k", { wrong => 1 }]], update: [[wrong], [{ wrong => 1 }], [{ "k" => { wrong => 1 } }]],
          flash: [["m", wrong], [{ wrong => 1 }]], pop_flash: [[wrong]], peek_flash: [[wrong]], valid_csrf_token?: [[wrong]],
          "subject=": [[wrong]], commit: [[{ timeout: wrong }]], commit_to: [[wrong], [{}, { timeout: wrong }]], add_headers_to: [[wrong]],
          append: [[wrong, 1], ["k", { wrong => 1 }]], increment: [[wrong], ["k", wrong]], "lifetime=": [[wrong]],
          set_attribute: [[wrong, 1], ["max_age", wrong]]
        },
        store => {
          open: [[wrong], [nil, { now: wrong }], [nil, { timeout: wrong }], [nil, { passive: wrong }]], subject: [[wrong]],
          open_value: [[wrong], ["x", { now: wrong }], ["x", { timeout: wrong }], ["x", { passive: wrong }]]
        },
        subject => { revoke: [[wrong]], revoke_all: [[{ except: wrong }]] },
        Khufu::Factory => { from_ini: [[wrong], ["", { section: wrong }], ["", { prefix: wrong }], ["", { accept: wrong }]], new: %i[type secret store serializer timeout accept previous_secret].map { |name| [{ secret: "x", name => wrong }] } },
        Khufu => { generate_secret: [[wrong]] }
      }.each do |receiver, calls|
        calls.each { |name, lists| lists.each { |arguments| assert_only_errors_of_khufu(receiver, name, arguments) } }
      end
    end
    assert_equal({ "a" => { "b" => "c" } }, session.to_h.slice("a"))
  end

  def test_keys_that_are_not_text
    session = open_state('{"a":1}')
    [1, nil, true, ["a"], { "a" => 1 }, 1.5, Object].each do |key|
      [
        -> { session[key] }, -> { session[key] = 1 }, -> { session["a"] = { key => 1 } }, -> { session["a"] = [{ "b" => { key => 1 } }] },
        -> { session.update(key => 1) }, -> { session.update("a" => { key => 1 }) }, -> { session.flash({ key => 1 }) },
        -> { session.flash("m", key) }, -> { session.setdefault(key, 1) }, -> { session.setdefault("b", { key => 1 }) },
        -> { session.fetch(key, 1) }, -> { session.fetch(key) { 1 } }, -> { session.key?(key) }, -> { session.delete(key) },
        -> { session.store_json(key, "1") }, -> { session.json(key) }, -> { session.slice(key) }
      ].each { |failing| assert_raises(Khufu::JSONError, &failing) }
    end
    assert_equal '{"a":1}', session.to_json
    assert_equal({ "a" => { "b" => { "c" => 1 } } }, session.update(a: { b: { c: 1 } }).to_h)
  end

  def test_fetch_of_a_missing_key_raises_a_key_error_as_in_a_hash
    error = assert_raises(KeyError) { open_state.fetch("a") }
    assert_equal "a", error.key
  end

  def test_a_closed_session
    session = open_state('{"a":1}')
    assert_nil session.close
    assert_nil session.close
    assert_predicate session, :closed?
    assert_equal "#<Khufu::Session closed>", session.inspect
    calls = %i[
      length empty? keys values each_json to_h to_json clear pop_flash peek_flash csrf_token new_csrf_token created accessed
      renewed new? changed? load_result load_format error mark_changed invalidate destroy commit headers value id open
      regenerate_id subject
    ].to_h { |name| [name, []] }
    calls.merge!(
      :[] => ["a"], :[]= => ["a", 1], fetch: ["a"], key?: ["a"], delete: ["a"], setdefault: ["a"], update: [{}], json: ["a"],
      store_json: %w[a 1], flash: ["m"], valid_csrf_token?: ["t"], dig: ["a"], store: ["a", 1], replace: [{}],
      "subject=": ["user-42"], commit_to: [{}], add_headers_to: [{}], append: ["a", 1], increment: ["a"], "lifetime=": [1],
      set_attribute: [:secure, true]
    )
    calls.each do |name, arguments|
      error = assert_raises(Khufu::ArgumentError, name) { session.public_send(name, *arguments) {} }
      assert_equal "the session is closed", error.message
    end
    undefined = Khufu::Session.public_instance_methods(false) - calls.keys
    assert_empty undefined - %i[
      close closed? inspect to_s each each_pair has_key? include? member? size merge! to_hash values_at fetch_values slice
      opened? opening_error invalidated? thawed write_changes
    ]
  end

  private

  # Some of the arguments are valid, so a call may also succeed.
  def assert_only_errors_of_khufu(receiver, name, arguments)
    *arguments, options = arguments if arguments.last.is_a?(Hash) && arguments.last.keys.all?(Symbol)
    receiver.public_send(name, *arguments, **options.to_h)
  rescue Khufu::Error, KeyError => error
    assert error.is_a?(Khufu::Error) || %i[fetch fetch_values].include?(name)
  rescue StandardError => error
    flunk "#{receiver.inspect}.#{name}(#{arguments.inspect[1..-2]}) raises #{error.class}: #{error.message}"
  else
    pass
  end
end
