using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using Callsheet.Core;
using Callsheet.Samples;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;
using UnityEngine.UIElements;

namespace Callsheet.Tests
{
    /// <summary>The sample Village, played: its own UXML, its components, a server in the test's hands.</summary>
    public class VillageTests : PlayingFixture
    {
        private VisualElement _root;
        private CallsheetPlayer _ann;
        private CallsheetNpc _ida;
        private JsonValue _spawned;
        private int _seq;
        private int _handle;

        [SetUp]
        public void Enter()
        {
            _seq = 0;
            Place.All.Clear();
            new GameObject("Main Camera").AddComponent<Camera>();
            _ann = new GameObject("Ann").AddComponent<CallsheetPlayer>();
            _ann.gameObject.AddComponent<PlayerWalk>();
            _ida = Villager("ida");
            new GameObject("well").AddComponent<Place>();
            var ui = new GameObject("UI");
            UIDocument document = ui.AddComponent<UIDocument>();
            document.visualTreeAsset = VisualTreeAsset.FromUxml(File.ReadAllText(Environment.GetEnvironmentVariable("CALLSHEET_VILLAGE") + "/Village.uxml"));
            _root = document.rootVisualElement;
            ui.AddComponent<Chat>();
            ui.AddComponent<Bubbles>();
            ui.AddComponent<SaveMenu>();
            ui.AddComponent<UiInput>();
            Connect();
            _spawned = Spawned();
        }

        [Test]
        public void A_line_goes_to_who_is_near_and_the_answer_streams_into_the_log_and_above_the_head()
        {
            Type("Good day!");
            Assert.That(_root.Q<Label>("partner").text, Is.EqualTo("You talk to ida."));
            JsonValue say = Sent("say").Single();
            Assert.That(say["npc"].Text + " " + say["text"].Text + " " + say["speaker"]["id"].Text, Is.EqualTo("ida Good day! Ann"));
            Assert.That(_root.Q<TextField>("line").value, Is.Empty);
            Assert.That(Log(), Is.EqualTo(new[] { "You: Good day!", "ida: ..." }));
            Begin(say, "ida", "<b>Hello</b>");
            Assert.That(Log().Last(), Is.EqualTo("ida: <b>Hello</b>"));
            End(say, "ida", "<b>Hello</b>, Ann.");
            Assert.That(Log().Last(), Is.EqualTo("ida: <b>Hello</b>, Ann."));
            Label bubble = _root.Q<VisualElement>("bubbles").Q<Label>();
            Assert.That(bubble.text, Is.EqualTo("<b>Hello</b>, Ann."));
            Assert.That(bubble.enableRichText || _root.Q<ScrollView>("log").Q<Label>().enableRichText, Is.False, "what a model writes is no markup");
            _ida.gameObject.SetActive(false);
            PlayerLoop.Frame();
            Assert.That(bubble.style.display.value, Is.EqualTo(DisplayStyle.None));
        }

        [Test]
        public void Without_anybody_near_or_without_a_session_nothing_is_lost()
        {
            _ann.transform.position = new Vector3(100, 0, 0);
            PlayerLoop.Frame();
            Type("Anybody?");
            Assert.That(Sent("say"), Is.Empty);
            Assert.That(_root.Q<TextField>("line").value, Is.EqualTo("Anybody?"));
            _ann.transform.position = Vector3.zero;
            Server.Drop(4001);
            Frames(0.1);
            Type("Anybody?");
            Assert.That(Log().Last(), Is.StringStarting("ida: (").And.StringEnding(")"));
        }

        [Test]
        public void Who_types_does_not_walk()
        {
            PlayerWalk walk = _ann.GetComponent<PlayerWalk>();
            _root.Q<TextField>("line").SendEvent(FocusInEvent.GetPooled());
            Assert.That(walk.enabled, Is.False);
            _root.Q<TextField>("line").SendEvent(FocusOutEvent.GetPooled());
            Assert.That(walk.enabled, Is.True);
        }

        [Test]
        public void The_player_walks_by_keys_and_sticks()
        {
            Press(true);
            Frames(1);
            Assert.That(_ann.transform.position.x, Is.EqualTo(4f).Within(0.2f));
            Assert.That(_ann.transform.position.z, Is.EqualTo(0f));
            Press(false);
            Frames(1);
            Assert.That(_ann.transform.position.x, Is.EqualTo(4f).Within(0.2f));
        }

        [Test]
        public void A_villager_that_is_asked_to_walks_to_the_place_and_is_told_when_it_is_there()
        {
            Place.All.Single().transform.position = new Vector3(5, 3, 0);
            JsonValue walk = _spawned["npcs"].Items.Single()["action_specs"].Items.Single(spec => spec["name"].Text == "walk_to");
            Assert.That(walk["parameters"]["properties"]["place"]["enum"].ToString(), Is.EqualTo("[\"well\"]"));
            Type("Meet me at the well.");
            Act(Sent("say").Single(), "walk_to", "{\"place\":\"well\"}");
            Frames(1);
            Assert.That(Sent("action_result"), Is.Empty, "it is on its way");
            Assert.That(_ida.transform.position.x, Is.EqualTo(2f).Within(0.2f));
            Frames(1);
            Assert.That(Sent("action_result").Single()["ok"].Boolean);
            Assert.That(Vector3.Distance(_ida.transform.position, new Vector3(5, 0, 0)), Is.LessThan(1.6f), "and it stays on the ground");
        }

        [Test]
        public void What_a_villager_sees_is_what_it_remembers()
        {
            Type("Who is here?");
            Act(Sent("say").Single(), "look_around", "{}");
            Assert.That(Sent("action_result").Single()["message"].Text, Is.EqualTo("Nobody is near."));
            Villager("bram").transform.position = new Vector3(1, 0, 0);
            Spawned();
            Type("And now?");
            Act(Sent("say").Single(), "look_around", "{}");
            Assert.That(Sent("action_result").Single()["message"].Text, Is.EqualTo("bram is near."));
        }

        [Test]
        public void Two_villagers_talk_each_answering_the_other()
        {
            Villager("bram", gossipEveryS: 1);
            Villager("odo").transform.position = new Vector3(50, 0, 0);
            Spawned();
            Frames(1.1);
            List<JsonValue> sent = Sent();
            JsonValue opener = sent.Single(m => m["type"].Text == "speak");
            Assert.That(opener["npc"].Text + ": " + opener["text"].Text, Is.EqualTo("bram: Have you heard the news?"));
            string[] lines = { "None.", "A pity.", "Indeed." };
            for (int i = 0; i < 3; i++)
            {
                JsonValue say = (i == 0 ? sent : Sent()).Single(m => m["type"].Text == "say");
                Assert.That(say["npc"].Text, Is.EqualTo(i == 1 ? "bram" : "ida"));
                Assert.That(say["speaker"]["kind"].Text + " " + say["speaker"]["id"].Text, Is.EqualTo("npc " + (i == 1 ? "ida" : "bram")));
                Assert.That(say["text"].Text, Is.EqualTo(i == 0 ? "Have you heard the news?" : lines[i - 1]));
                Begin(say, say["npc"].Text, lines[i]);
                End(say, say["npc"].Text, lines[i]);
            }
            Assert.That(Sent("say"), Is.Empty, "three answers, and it is over");
        }

        [Test]
        public void The_save_menu_saves_lists_loads_and_deletes()
        {
            VisualElement menu = _root.Q<VisualElement>("save-menu");
            Assert.That(menu.style.display.value, Is.EqualTo(DisplayStyle.None));
            Click("open-saves");
            Assert.That(menu.style.display.value, Is.EqualTo(DisplayStyle.Flex));
            List("");
            Assert.That(_root.Q<ScrollView>("saves").childCount, Is.EqualTo(0));
            Click("save");
            Tell("saved", "save", "\"name\":\"evening\",\"time_s\":61.2");
            Assert.That(_root.Q<Label>("save-status").text, Is.EqualTo("\"evening\" is saved."));
            List("{\"name\":\"evening\",\"time_s\":61.2,\"saved_at\":1}");
            VisualElement row = _root.Q<ScrollView>("saves").Children().Single();
            Assert.That(row.Q<Label>().text, Is.EqualTo("evening (61 s)"));
            Button[] buttons = row.Children().OfType<Button>().ToArray();
            buttons[0].SendEvent(NavigationSubmitEvent.GetPooled());
            Tell("loaded", "load", "\"name\":\"evening\",\"time_s\":61.2");
            Assert.That(_root.Q<Label>("save-status").text, Is.EqualTo("\"evening\" is loaded."));
            List("{\"name\":\"evening\",\"time_s\":61.2,\"saved_at\":1}");
            buttons[1].SendEvent(NavigationSubmitEvent.GetPooled());
            Tell("ok", "delete_save", "");
            Assert.That(_root.Q<Label>("save-status").text, Is.EqualTo("\"evening\" is deleted."));
            List("");
            Assert.That(_root.Q<ScrollView>("saves").childCount, Is.EqualTo(0));
            Click("open-saves");
            Assert.That(menu.style.display.value, Is.EqualTo(DisplayStyle.None));
        }

        [Test]
        public void What_the_server_refuses_is_told_in_the_menu()
        {
            Click("open-saves");
            List("");
            _root.Q<TextField>("save-name").value = "";
            Click("save");
            Assert.That(_root.Q<Label>("save-status").text, Is.Not.Empty);
            _root.Q<TextField>("save-name").value = "evening";
            Click("save");
            Tell("error", "save", "\"code\":\"limit_exceeded\",\"message\":\"too many saves\"");
            Assert.That(_root.Q<Label>("save-status").text, Is.StringEnding("too many saves"));
            Assert.That(Sent("list_saves"), Is.Empty);
        }

#if ENABLE_INPUT_SYSTEM
        [Test]
        public void With_the_input_system_ui_toolkit_hears_through_an_event_system()
        {
            var events = UnityEngine.EventSystems.EventSystem.current;
            Assert.That(events.GetComponent<UnityEngine.InputSystem.UI.InputSystemUIInputModule>().HasActions);
            new GameObject("second").AddComponent<UiInput>();
            Assert.That(UnityEngine.Object.FindObjectOfType<UnityEngine.EventSystems.EventSystem>(), Is.SameAs(events));
        }

        private static void Press(bool down)
        {
            UnityEngine.InputSystem.Gamepad.current = new UnityEngine.InputSystem.Gamepad();
            UnityEngine.InputSystem.Gamepad.current.leftStick.Value = new Vector2(down ? 0.5f : 0f, 0f);
            UnityEngine.InputSystem.Keyboard.current = new UnityEngine.InputSystem.Keyboard();
            UnityEngine.InputSystem.Keyboard.current.rightArrowKey.Value = down ? 1f : 0f;
        }
#else
        private static void Press(bool down) => Input.Axes["Horizontal"] = down ? 1f : 0f;
#endif

        private static CallsheetNpc Villager(string name, float gossipEveryS = 0)
        {
            CallsheetNpc npc = Npc(name);
            npc.gameObject.SetActive(false);
            npc.gameObject.AddComponent<Villager>();
            Gossip gossip = npc.gameObject.AddComponent<Gossip>();
            typeof(Gossip).GetField("everyS", BindingFlags.Instance | BindingFlags.NonPublic).SetValue(gossip, gossipEveryS);
            npc.gameObject.SetActive(true);
            return npc;
        }

        private void Type(string line)
        {
            PlayerLoop.Frame();
            _root.Q<TextField>("line").value = line;
            _root.Q<TextField>("line").SendEvent(KeyDownEvent.GetPooled('\n', KeyCode.Return, EventModifiers.None));
            PlayerLoop.Frame();
        }

        private void Click(string button)
        {
            _root.Q<Button>(button).SendEvent(NavigationSubmitEvent.GetPooled());
            PlayerLoop.Frame();
        }

        private string[] Log() => _root.Q<ScrollView>("log").Children().Cast<Label>().Select(label => label.text).ToArray();

        /// <summary>Answers what was spawned last.</summary>
        private JsonValue Spawned()
        {
            Frames(0.2);
            JsonValue spawn = Sent("spawn").Single();
            string npcs = string.Join(",", spawn["npcs"].Items.Select(npc => "{\"npc\":\"" + npc["npc"].Text + "\",\"handle\":" + ++_handle + "}"));
            string players = string.Join(",", spawn["players"].Items.Select(player => "{\"player\":\"" + player["player"].Text + "\",\"handle\":" + ++_handle + "}"));
            Send("{\"type\":\"spawned\",\"seq\":" + ++_seq + ",\"id\":" + spawn["id"] + ",\"npcs\":[" + npcs + "],\"players\":[" + players + "]}");
            return spawn;
        }

        private void Begin(JsonValue say, string npc, string text)
        {
            string about = ",\"id\":" + say["id"] + ",\"reply\":" + say["id"] + ",";
            Send("{\"type\":\"reply_start\",\"seq\":" + ++_seq + about + "\"npc\":\"" + npc + "\",\"speaker\":{\"kind\":\"narrator\"},\"heard\":\"?\"}");
            Send("{\"type\":\"reply_delta\",\"seq\":" + ++_seq + about + "\"text\":\"" + text + "\"}");
        }

        private void End(JsonValue say, string npc, string text)
        {
            Send("{\"type\":\"reply_end\",\"seq\":" + ++_seq + ",\"id\":" + say["id"] + ",\"reply\":" + say["id"] + ",\"npc\":\"" + npc
                + "\",\"text\":\"" + text + "\",\"finish_reason\":\"stop\"}");
            PlayerLoop.Frame();
        }

        private void Act(JsonValue say, string name, string arguments) =>
            Send("{\"type\":\"action\",\"seq\":" + ++_seq + ",\"id\":" + say["id"] + ",\"reply\":" + say["id"] + ",\"action\":" + _seq
                + ",\"npc\":\"ida\",\"name\":\"" + name + "\",\"arguments\":" + arguments + "}");

        /// <summary>Answers the one request of that type.</summary>
        private void Tell(string type, string request, string fields)
        {
            PlayerLoop.Frame();
            Send("{\"type\":\"" + type + "\",\"seq\":" + ++_seq + ",\"id\":" + Sent(request).Single()["id"] + (fields.Length > 0 ? "," : "") + fields + "}");
        }

        private void List(string saves) => Tell("saves", "list_saves", "\"saves\":[" + saves + "]");

        private void Send(string text)
        {
            Server.SendText(text);
            PlayerLoop.Frame();
        }
    }
}
