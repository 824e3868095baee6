using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>Who overhears a line, and lines without an answer.</summary>
    public class EarshotTests : PlayingFixture
    {
        [Test]
        public void A_line_is_as_loud_as_who_says_it()
        {
            CallsheetNpc bob = Alive("bob");
            CallsheetPlayer ann = new GameObject("ann").AddComponent<CallsheetPlayer>();
            bob.Say("Psst!");
            ann.Audible = 12;
            bob.Say("Help!");
            CallsheetNpc ida = Npc("ida");
            ida.Audible = 3;
            bob.Say("Come!", ida);
            PlayerLoop.Frame();
            JsonValue[] said = Sent("say").ToArray();
            Assert.That(said[0]["audible_m"], Is.Null);
            Assert.That(said[0]["speaker"]["id"].Text, Is.EqualTo("ann"));
            Assert.That(said[1]["audible_m"].Number, Is.EqualTo(12));
            Assert.That(said[2]["audible_m"].Number, Is.EqualTo(3));
            Assert.That(said[2]["speaker"]["kind"].Text, Is.EqualTo("npc"));
            bob.Speak("Hm.");
            bob.Audible = 4;
            bob.Speak("Oyez!");
            PlayerLoop.Frame();
            JsonValue[] spoken = Sent("speak").ToArray();
            Assert.That(spoken[0]["audible_m"], Is.Null);
            Assert.That(spoken[1]["audible_m"].Number, Is.EqualTo(4));
        }

        [Test]
        public void A_line_can_be_heard_without_an_answer()
        {
            CallsheetNpc bob = Alive("bob");
            CallsheetPlayer ann = new GameObject("ann").AddComponent<CallsheetPlayer>();
            Answer<OkMessage> thunder = bob.Hear("Thunder.");
            bob.Hear("Fine day.", ann);
            PlayerLoop.Frame();
            JsonValue[] heard = Sent("hear").ToArray();
            Assert.That(heard[0]["npcs"].ToString(), Is.EqualTo("[\"bob\"]"));
            Assert.That(heard[0]["speaker"]["kind"].Text, Is.EqualTo("narrator"));
            Assert.That(heard[1]["speaker"]["id"].Text, Is.EqualTo("ann"));
            Assert.That(thunder.IsComplete, Is.False);
            Server.SendText("{\"type\":\"ok\",\"seq\":2,\"id\":" + heard[0]["id"] + "}");
            PlayerLoop.Frame();
            Assert.That(thunder.IsComplete && thunder.Error == null);
            Assert.That(() => bob.Hear(""), Throws.InstanceOf<CallsheetException>());
        }

        [Test]
        public void Several_answer_one_line_in_turn()
        {
            CallsheetNpc bob = Alive("bob");
            CallsheetNpc ida = Npc("ida");
            CallsheetPlayer ann = new GameObject("ann").AddComponent<CallsheetPlayer>();
            Reply[] replies = ann.SayTo("Who did it?", bob, ida).ToArray();
            PlayerLoop.Frame();
            JsonValue say = Sent("say").Single();
            Assert.That(say["npc"], Is.Null);
            Assert.That(say["npcs"].ToString(), Is.EqualTo("[\"bob\",\"ida\"]"));
            string about = "\"id\":" + say["id"] + ",\"reply\":";
            Server.SendText("{\"type\":\"reply_start\",\"seq\":2," + about + "1,\"npc\":\"bob\",\"speaker\":{\"kind\":\"player\"},\"heard\":\"Who did it?\"}");
            Server.SendText("{\"type\":\"reply_delta\",\"seq\":3," + about + "1,\"text\":\"Ida.\"}");
            Server.SendText("{\"type\":\"reply_end\",\"seq\":4," + about + "1,\"npc\":\"bob\",\"text\":\"Ida.\",\"finish_reason\":\"stop\",\"more\":true}");
            PlayerLoop.Frame();
            Assert.That(replies.Select(reply => reply.State), Is.EqualTo(new[] { ReplyState.Ended, ReplyState.Waiting }));
            Assert.That(replies[0].Text, Is.EqualTo("Ida."));
            Server.SendText("{\"type\":\"reply_end\",\"seq\":5," + about + "2,\"npc\":\"nobody\",\"text\":\"\",\"finish_reason\":\"stop\",\"more\":true}");
            Server.SendText("{\"type\":\"reply_start\",\"seq\":6," + about + "3,\"npc\":\"ida\",\"speaker\":{\"kind\":\"player\"},\"heard\":\"Who did it?\"}");
            Server.SendText("{\"type\":\"reply_end\",\"seq\":7," + about + "3,\"npc\":\"ida\",\"text\":\"Bob.\",\"finish_reason\":\"stop\"}");
            PlayerLoop.Frame();
            Assert.That(replies[1].Text, Is.EqualTo("Bob."));
            Assert.That(bob.Npc.LastReply, Is.SameAs(replies[0]));
        }

        [Test]
        public void A_line_to_several_that_is_refused_or_withdrawn_ends_for_all()
        {
            CallsheetNpc bob = Npc("bob");
            CallsheetNpc ida = Npc("ida");
            CallsheetPlayer ann = new GameObject("ann").AddComponent<CallsheetPlayer>();
            Reply[] withdrawn = ann.SayTo("Never mind.", bob, ida).ToArray();
            withdrawn[1].Cancel();
            Assert.That(withdrawn.Select(reply => reply.End.FinishReason), Is.All.EqualTo(FinishReason.Cancelled));
            Reply[] refused = ann.SayTo("Who did it?", bob, ida).ToArray();
            RunToConnection();
            Connect();
            JsonValue say = Sent("say").Single();
            Assert.That(say["text"].Text, Is.EqualTo("Who did it?"));
            Server.SendText("{\"type\":\"error\",\"seq\":1,\"id\":" + say["id"] + ",\"code\":\"text_refused\",\"message\":\"no\"}");
            PlayerLoop.Frame();
            Assert.That(refused.Select(reply => reply.Error.Code), Is.All.EqualTo(ErrorCode.TextRefused));
        }
    }
}
