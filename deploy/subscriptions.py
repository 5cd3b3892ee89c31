#!/usr/bin/env python3
"""Who is told when something is wrong: the alarm address and its subscription."""

import argparse

import aws
import stack as stacks
from program import Failed, Refused, note, run, say

CONFIRMED = "confirmed"
PENDING = "pending"
LOST = "lost"


def subscriptions(topic):
    """Every subscription of a topic."""
    answer = aws.call("sns", "list-subscriptions-by-topic", "--topic-arn", topic)
    return answer.get("Subscriptions") or []


def state(topic, address):
    """What SNS does with mails to this address."""
    found = [one.get("SubscriptionArn", "") for one in subscriptions(topic)
             if one.get("Endpoint", "").lower() == address.lower()]
    if any(arn.startswith("arn:") for arn in found):
        return CONFIRMED
    return PENDING if "PendingConfirmation" in found else LOST


def words(is_in, address):
    """A state in plain words."""
    return {
        CONFIRMED: "works: %s has confirmed that it wants mails" % address,
        PENDING: "%s has not opened the link in the mail from AWS (no-reply@sns.amazonaws.com);"
                 " before that, no failure mail arrives" % address,
        LOST: "%s is not subscribed any more, so no failure mail arrives: run ./deploy.sh, which"
              " subscribes it again" % address,
    }[is_in]


def address_of(stack):
    """Topic and address of a stack."""
    return stack.outputs.get("FailureTopicArn", ""), stack.parameters.get("AlarmEmail", "")


def report(stack):
    """The state and its words."""
    topic, address = address_of(stack)
    is_in = state(topic, address)
    return is_in, words(is_in, address)


def ensure(stack):
    """Subscribes the address again where SNS has dropped it: CloudFormation does not notice that.

    SNS deletes a subscription that nobody confirms, and one whose owner opens the link at the end
    of any mail.
    """
    topic, address = address_of(stack)
    if state(topic, address) == LOST:
        aws.call("sns", "subscribe", "--topic-arn", topic, "--protocol", "email",
                 "--notification-endpoint", address)
        say("Subscribed %s again: its subscription was gone" % address)


def test_mail(stack):
    """Sends a mail by the way that failure mails take from the topic on."""
    topic, address = address_of(stack)
    is_in = state(topic, address)
    if is_in != CONFIRMED:
        raise Refused("no mail would arrive: %s" % words(is_in, address))
    answer = aws.call(
        "sns", "publish", "--topic-arn", topic, "--subject", "EntraTrail test mail", "--message",
        "This mail was asked for with ./deploy.sh --test-mail. Failures of the stack %s arrive in"
        " the same way." % stack.name)
    if not answer.get("MessageId"):
        raise Failed("SNS did not accept the test mail: look at the policy of %s" % topic)
    say("A test mail is on its way to %s. If it does not arrive within five minutes, look into the"
        " folder for unwanted mail." % address)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the stack")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("ensure", help="subscribe the address again where it is lost")
    actions.add_parser("test", help="send a test mail")
    options = parser.parse_args()
    stack = stacks.needed(options.stack)
    if options.action == "test":
        aws.failing(test_mail, stack)
        return
    try:
        ensure(stack)
        is_in, said = report(stack)
        if is_in != CONFIRMED:
            note(said)
    except aws.AwsError as error:
        note("whether %s gets mails could not be seen (%s); going on"
             % (stack.parameters.get("AlarmEmail", ""), error))


if __name__ == "__main__":
    run(main)
