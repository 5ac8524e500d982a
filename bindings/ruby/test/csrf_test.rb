# frozen_string_literal: true

require_relative "helper"

class CSRFTest < SessionTest
  def setup
    @session = open_state
  end

  def test_token_is_made_once
    token = @session.csrf_token
    assert_match(/\A\h{40}\z/, token)
    assert_equal token, @session.csrf_token
    assert_equal({ "_csrft_" => token }, @session.to_h)
    assert_equal token, factory.open(sent_back(@session.commit), now: NOW).csrf_token
  end

  def test_new_token
    tokens = Array.new(3) { @session.new_csrf_token }
    assert_equal tokens, tokens.uniq
    assert_equal tokens.last, @session.csrf_token
  end

  def test_check
    token = @session.csrf_token
    assert @session.valid_csrf_token?(token)
    assert @session.valid_csrf_token?(token.b.freeze)
    refute @session.valid_csrf_token?(token.upcase + "x")
    refute @session.valid_csrf_token?(token[..-2])
    refute @session.valid_csrf_token?("")
    refute @session.valid_csrf_token?("\xff" * 40)
    refute @session.valid_csrf_token?("\0" * 40)
    refute @session.valid_csrf_token?(nil)
    refute @session.valid_csrf_token?([token])
  end

  def test_without_a_token_no_token_is_valid_or_made
    refute @session.valid_csrf_token?("")
    refute @session.valid_csrf_token?("0" * 40)
    assert_empty @session
    refute_predicate @session, :changed?
  end

  def test_a_token_that_python_made
    session = open_state('{"_csrft_":"zo\u00eb"}')
    assert_equal "zoë", session.csrf_token
    assert session.valid_csrf_token?("zoë")
    refute session.valid_csrf_token?("zoe")
  end
end
