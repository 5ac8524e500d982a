# frozen_string_literal: true

require_relative "helper"

class FlashTest < SessionTest
  def setup
    @session = open_state
  end

  def test_flash_peek_and_pop
    assert_empty @session.peek_flash
    assert_empty @session.pop_flash
    refute_predicate @session, :changed?
    assert_same @session, @session.flash("one").flash({ code: 500 })
    assert_equal ["one", { "code" => 500 }], @session.peek_flash
    assert_equal({ "_f_" => ["one", { "code" => 500 }] }, @session.to_h)
    assert_equal ["one", { "code" => 500 }], @session.pop_flash
    assert_empty @session.pop_flash
    assert_empty @session
  end

  def test_queues
    @session.flash("default")
    @session.flash("wrong", "error")
    @session.flash("worse", :error)
    assert_equal ["default"], @session.peek_flash
    assert_equal %w[wrong worse], @session.peek_flash(:error)
    assert_equal %w[wrong worse], @session.pop_flash("error")
    assert_equal ["_f_"], @session.keys
  end

  def test_duplicates
    2.times { @session.flash("again") }
    assert_equal %w[again again], @session.pop_flash
    2.times { @session.flash("once", allow_duplicate: false) }
    @session.flash(1, allow_duplicate: false)
    @session.flash(1.0, allow_duplicate: nil)
    @session.flash({ a: 1, b: 2 }, allow_duplicate: false)
    @session.flash({ b: 2, a: 1 }, allow_duplicate: false)
    assert_equal ["once", 1, { "a" => 1, "b" => 2 }], @session.peek_flash
    @session.flash("once", "other", allow_duplicate: false)
    assert_equal ["once"], @session.peek_flash("other")
  end

  def test_messages_reach_the_next_request
    @session.flash("saved", "info")
    session = factory.open(sent_back(@session.commit), now: NOW)
    assert_equal ["saved"], session.pop_flash("info")
    session = factory.open(sent_back(session.commit), now: NOW)
    assert_empty session.peek_flash("info")
  end

  def test_a_queue_that_is_not_a_list
    session = open_state('{"_f_":"mine"}', reissue_time: nil)
    assert_raises(Khufu::TypeError) { session.flash("x") }
    assert_raises(Khufu::TypeError) { session.peek_flash }
    error = assert_raises(Khufu::TypeError) { session.pop_flash }
    assert_includes error.message, "_f_"
    assert_equal({ "_f_" => "mine" }, session.to_h)
    refute_predicate session, :changed?
  end

  def test_queue_must_be_a_name
    assert_raises(Khufu::JSONError) { @session.flash("x", nil) }
    assert_raises(Khufu::JSONError) { @session.pop_flash(1) }
  end
end
