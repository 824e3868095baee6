using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>The components in a player loop: Awake to OnDestroy, scene changes, domain reloads, quits.</summary>
    public class PlayerLoopTests : PlayingFixture
    {
        [Test]
        public void An_npc_alone_makes_the_client_connects_and_is_spawned()
        {
            CallsheetNpc bob = Npc("Bob (1)", persona: "You are Bob.", id: "bob");
            Connect();
            JsonValue spawn = Sent("spawn").Single();
            JsonValue spec = spawn["npcs"].Items.Single();
            Assert.That(spec["npc"].Text, Is.EqualTo("bob"));
            Assert.That(spec["name"].Text, Is.EqualTo("Bob"));
            Assert.That(spec["persona"].Text, Is.EqualTo("You are Bob."));
            Assert.That(bob.NpcId, Is.EqualTo("bob"));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void Without_a_server_one_line_says_how_to_start_it_and_the_game_runs_on()
        {
            CallsheetNpc bob = Npc("bob");
            CallsheetError failed = null;
            for (int i = 0; i < 200; i++)
            {
                PlayerLoop.Frame(0.1);
                Server.Drop(1006, "connection refused");
                if (i == 50)
                {
                    bob.Say("Anybody?", text => Assert.Fail(), error => failed = error);
                }
            }
            Assert.That(_connections.Count, Is.GreaterThan(3));
            Assert.That(Debug.Lines.Count, Is.EqualTo(1));
            Assert.That(Debug.Lines[0], Is.StringStarting("Warning: [Callsheet] no server at ws://127.0.0.1:8765/. Start it with: callsheet serve "));
            Assert.That(failed.Code, Is.EqualTo(ErrorCode.ConnectionFailed));
            RunToConnection();
            Connect();
            Assert.That(CallsheetClient.Instance.State, Is.EqualTo(SessionState.Open));
        }

        [TestCase("ws://127.0.0.1:8765/", "callsheet serve")]
        [TestCase("ws://10.0.0.7:9000", "callsheet serve --port 9000")]
        [TestCase("nonsense", "callsheet serve")]
        public void The_start_command_has_the_port(string url, string command)
        {
            Assert.That(StartCommand.For(url), Is.EqualTo(command));
        }

        [Test]
        public void A_reply_reaches_events_unity_events_callbacks_and_awaits()
        {
            CallsheetNpc bob = Alive("bob");
            var seen = new List<string>();
            bob.ReplyStarted += r => seen.Add("started");
            bob.TextAdded += (r, added) => seen.Add("+" + added);
            bob.ReplyCompleted += r => seen.Add("completed");
            bob.Events.replyStarted.AddListener(() => seen.Add("unity started"));
            bob.Events.textChanged.AddListener(text => seen.Add("unity " + text));
            bob.Events.replyEnded.AddListener(text => seen.Add("unity ended " + text));
            bob.Say("Hello!", text => seen.Add("callback " + text));
            Answer();
            Assert.That(seen, Is.EqualTo(new[]
            {
                "started", "unity started", "+Good ", "unity Good ", "+day.", "unity Good day.",
                "callback Good day.", "completed", "unity ended Good day.",
            }));
        }

        [Test]
        public void A_coroutine_can_yield_a_reply()
        {
            CallsheetNpc bob = Alive("bob");
            string text = null;
            bob.StartCoroutine(Ask(bob, answer => text = answer));
            Assert.That(text, Is.Null);
            Answer();
            PlayerLoop.Frame();
            Assert.That(text, Is.EqualTo("Good day."));
        }

        [Test]
        public void A_token_cancels_a_reply_on_the_main_thread()
        {
            CallsheetNpc bob = Alive("bob");
            var source = new CancellationTokenSource();
            bob.Say("Tell me everything.", source.Token);
            Frames(0.1);
            Assert.That(Sent("cancel"), Is.Empty);
            // On a thread of the pool, as timers do.
            System.Threading.Tasks.Task.Run(() => source.Cancel()).Wait();
            Assert.That(Sent("cancel"), Is.Empty);
            Frames(0.1);
            Assert.That(Sent("cancel").Count, Is.EqualTo(1));
            Reply never = bob.Say("Anything else?", source.Token);
            Frames(0.1);
            Assert.That(never.End.FinishReason, Is.EqualTo(FinishReason.Cancelled));
            Assert.That(Sent("say"), Is.Empty);
        }

        [Test]
        public void An_await_resumes_on_the_main_thread_inside_a_frame()
        {
            CallsheetNpc bob = Alive("bob");
            int thread = 0;
            Await(bob, () => thread = System.Threading.Thread.CurrentThread.ManagedThreadId);
            Answer();
            Assert.That(thread, Is.EqualTo(System.Threading.Thread.CurrentThread.ManagedThreadId));
        }

        [Test]
        public void The_local_player_speaks_or_else_a_narrator()
        {
            CallsheetNpc bob = Alive("bob");
            bob.Say("Thunder rolls.");
            PlayerLoop.Frame();
            Assert.That(Sent("say").Single()["speaker"]["kind"].Text, Is.EqualTo("narrator"));
            CallsheetPlayer ann = new GameObject("Ann").AddComponent<CallsheetPlayer>();
            bob.Say("Hello!");
            bob.Say("Hello!", ann);
            PlayerLoop.Frame();
            PlayerLoop.Frame();
            List<JsonValue> sent = Sent();
            Assert.That(sent.Count(m => m["type"].Text == "spawn"), Is.EqualTo(1));
            Assert.That(sent.FindAll(m => m["type"].Text == "say").Select(m => m["speaker"]["id"].Text), Is.EqualTo(new[] { "Ann", "Ann" }));
            Assert.That(sent.FindIndex(m => m["type"].Text == "spawn"), Is.LessThan(sent.FindIndex(m => m["type"].Text == "say")));
        }

        [Test]
        public void A_handler_that_throws_is_logged_and_the_game_goes_on()
        {
            CallsheetNpc bob = Alive("bob");
            bob.TextAdded += (r, added) => throw new InvalidOperationException("mine");
            string result = null;
            bob.Say("Hello!", text => result = text);
            Answer();
            Assert.That(result, Is.EqualTo("Good day."));
            Assert.That(Debug.Lines.All(line => line.StartsWith("Exception: System.InvalidOperationException: mine")), string.Join("\n", Debug.Lines));
        }

        [Test]
        public void The_client_outlives_a_scene_and_the_scenes_npcs_leave_the_world()
        {
            Alive("bob");
            CallsheetClient client = CallsheetClient.Instance;
            PlayerLoop.LoadScene();
            Npc("eve");
            Frames(0.2);
            Assert.That(CallsheetClient.Instance, Is.SameAs(client));
            Assert.That(_connections.Count, Is.EqualTo(1));
            List<JsonValue> sent = Sent();
            Assert.That(sent.Find(m => m["type"].Text == "despawn")["npcs"].Items.Single().Text, Is.EqualTo("bob"));
            Assert.That(sent.Find(m => m["type"].Text == "spawn")["npcs"].Items.Single()["npc"].Text, Is.EqualTo("eve"));
        }

        [Test]
        public void A_second_client_gives_way_to_the_first()
        {
            Alive("bob");
            CallsheetClient first = CallsheetClient.Instance;
            CallsheetClient second = new GameObject("another").AddComponent<CallsheetClient>();
            Frames(0.2);
            Assert.That(second == null);
            Assert.That(CallsheetClient.Instance, Is.SameAs(first));
            Assert.That(_connections.Count, Is.EqualTo(1));
            Assert.That(Sent("bye"), Is.Empty);
        }

        [Test]
        public void Of_an_object_that_holds_more_the_client_alone_outlives_the_scene()
        {
            CallsheetSettings settings = ScriptableObject.CreateInstance<CallsheetSettings>();
            settings.World = "mine";
            CallsheetSettings.FindInProject = () => settings;
            var manager = new GameObject("manager");
            new GameObject("child").transform.parent = manager.transform;
            CallsheetClient placed = manager.AddComponent<CallsheetClient>();
            Npc("bob");
            Connect();
            CallsheetClient client = CallsheetClient.Instance;
            Assert.That(client.gameObject, Is.Not.SameAs(manager));
            Assert.That(client.Settings, Is.SameAs(settings));
            Assert.That(placed == null);
            PlayerLoop.LoadScene();
            Assert.That(manager == null, "it belongs to its scene");
            Assert.That(CallsheetClient.Instance, Is.SameAs(client));
            Assert.That(_connections.Count, Is.EqualTo(1));
        }

        [Test]
        public void A_client_that_was_asked_for_before_it_is_enabled_moves_all_the_same()
        {
            var manager = new GameObject("manager");
            manager.SetActive(false);
            new GameObject("child").transform.parent = manager.transform;
            CallsheetClient placed = manager.AddComponent<CallsheetClient>();
            CallsheetSettings own = ScriptableObject.CreateInstance<CallsheetSettings>();
            typeof(CallsheetClient).GetField("settings", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic).SetValue(placed, own);
            placed.enabled = false;
            manager.SetActive(true);
            Assert.That(CallsheetClient.Instance, Is.SameAs(placed));
            placed.enabled = true;
            PlayerLoop.Frame();
            Assert.That(CallsheetClient.Instance.gameObject, Is.Not.SameAs(manager));
            Assert.That(CallsheetClient.Instance.Settings, Is.SameAs(own));
            Connect();
            Assert.That(CallsheetClient.Instance.State, Is.EqualTo(SessionState.Open));
            Assert.That(_connections.Count, Is.EqualTo(1));
        }

        [Test]
        public void A_domain_reload_says_goodbye_and_everybody_comes_back()
        {
            CallsheetNpc bob = Alive("bob");
            PlayerLoop.ReloadDomain(Package);
            Assert.That(Sent("bye").Count, Is.EqualTo(1));
            RunToConnection();
            Connect();
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["npc"].Text, Is.EqualTo("bob"));
            Assert.That(bob.Npc, Is.Not.Null);
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void Play_again_without_a_domain_reload_starts_clean()
        {
            Alive("bob");
            CallsheetClient first = CallsheetClient.Instance;
            Server.Drop(1000);
            PlayerLoop.Quit();
            Assert.That(CallsheetClient.Instance, Is.Null, "nothing is made while the game quits");
            EnterPlayMode();
            Alive("bob");
            Assert.That(CallsheetClient.Instance, Is.Not.SameAs(first));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void Play_again_without_a_scene_reload_spawns_everybody()
        {
            CallsheetNpc bob = Alive("bob");
            CallsheetPlayer ann = new GameObject("Ann").AddComponent<CallsheetPlayer>();
            Server.Drop(1000);
            PlayerLoop.LeavePlayMode();
            EnterPlayMode();
            PlayerLoop.Enable(bob, ann);
            Connect();
            JsonValue spawn = Sent("spawn").Single();
            Assert.That(spawn["npcs"].Items.Single()["npc"].Text, Is.EqualTo("bob"));
            Assert.That(spawn["players"].Items.Single()["player"].Text, Is.EqualTo("Ann"));
            Assert.That(CallsheetClient.Instance.Npcs.Single(), Is.SameAs(bob));
            bob.Say("Hello!");
            PlayerLoop.Frame();
            Assert.That(Sent("say").Single()["speaker"]["id"].Text, Is.EqualTo("Ann"));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void A_quit_says_goodbye_once_and_leaves_nothing_behind()
        {
            Alive("bob");
            new GameObject("Ann").AddComponent<CallsheetPlayer>();
            Frames(0.1);
            Sent();
            InMemoryTransport server = Server;
            PlayerLoop.Quit();
            Assert.That(Sent("bye").Count, Is.EqualTo(1));
            Assert.That(server.ClientClosedWith, Is.EqualTo(1000));
            Assert.That(server.Aborted, "a server that does not answer keeps no socket open");
            PlayerLoop.Frame();
            Assert.That(_connections.Count, Is.EqualTo(1));
            Assert.That(Debug.Lines, Is.Empty);
        }

        [Test]
        public void A_disabled_npc_is_left_out_until_it_is_back()
        {
            CallsheetNpc bob = Alive("bob");
            Frames(0.2);
            Ticks();
            bob.gameObject.SetActive(false);
            Frames(0.2);
            byte[] keyframe = Ticks().First(t => t[3] == 1);
            Assert.That(BitConverter.ToInt32(keyframe, 12), Is.EqualTo(0));
            bob.gameObject.SetActive(true);
            Frames(0.2);
            Assert.That(Ticks().Any(t => BitConverter.ToInt32(t, 12) == 1));
            Assert.That(Sent("despawn"), Is.Empty);
        }

        [Test]
        public void Transforms_become_positions_and_velocities()
        {
            CallsheetNpc bob = Alive("bob");
            for (int i = 1; i <= 30; i++)
            {
                bob.transform.position = new Vector3(i * 0.1f, 1, 2);
                PlayerLoop.Frame(0.05);
            }
            byte[] last = Ticks().Last(t => BitConverter.ToInt32(t, 12) == 1);
            Assert.That(BitConverter.ToSingle(last, 36), Is.EqualTo(3f).Within(0.11f));
            Assert.That(BitConverter.ToSingle(last, 40), Is.EqualTo(1f));
            Assert.That(BitConverter.ToSingle(last, 48), Is.EqualTo(2f).Within(0.01f));
        }

        [TestCase(float.NaN)]
        [TestCase(float.NegativeInfinity)]
        [TestCase(2e7f)]
        public void An_object_that_is_nowhere_costs_its_own_record_only_and_is_back_when_it_is_back(float x)
        {
            CallsheetNpc bob = Alive("bob");
            CallsheetPlayer ann = new GameObject("Ann").AddComponent<CallsheetPlayer>();
            CallsheetNpc eve = Npc("eve");
            bob.transform.position = new Vector3(x, 0, 0);
            ann.transform.position = new Vector3(0, 0, x);
            Frames(0.2);
            JsonValue spawn = Sent("spawn").Single();
            Server.SendText("{\"type\":\"spawned\",\"seq\":2,\"id\":" + spawn["id"] + ",\"npcs\":[{\"npc\":\"eve\",\"handle\":8}],\"players\":[{\"player\":\"Ann\",\"handle\":1}]}");
            Frames(0.2);
            Ticks();
            eve.transform.position = new Vector3(5, 0, 0);
            Frames(0.2);
            List<byte[]> ticks = Ticks();
            Assert.That(ticks.Count, Is.GreaterThan(2));
            Assert.That(ticks.Max(t => BitConverter.ToInt32(t, 12)), Is.EqualTo(1), "eve alone");
            Assert.That(ticks.Max(t => BitConverter.ToInt32(t, 24)), Is.EqualTo(0), "no players");
            Assert.That(Debug.Lines.Count, Is.EqualTo(2), "each is told once: " + string.Join("\n", Debug.Lines));
            Assert.That(Debug.Lines.Select(line => line.Split('\'')[1]), Is.EquivalentTo(new[] { "bob", "Ann" }));
            bob.transform.position = new Vector3(7, 0, 0);
            Frames(0.2);
            byte[] back = Ticks().First(t => BitConverter.ToInt32(t, 12) == 1);
            Assert.That(BitConverter.ToSingle(back, 36), Is.EqualTo(7f));
            Assert.That(BitConverter.ToSingle(back, 48), Is.EqualTo(0f), "it was put there, it did not fly there");
        }

        [Test]
        public void An_object_that_is_nowhere_when_it_comes_is_spawned_without_a_place()
        {
            var owner = new GameObject("bob");
            owner.transform.position = new Vector3(float.NaN, 0, 0);
            owner.AddComponent<CallsheetNpc>();
            Connect();
            JsonValue spec = Sent("spawn").Single()["npcs"].Items.Single();
            Assert.That(spec["npc"].Text, Is.EqualTo("bob"));
            Assert.That(spec["position"], Is.Null);
        }

        [Test]
        public void A_teleport_is_no_movement()
        {
            CallsheetNpc bob = Alive("bob");
            Frames(0.2);
            Ticks();
            bob.transform.position = new Vector3(9e6f, 0, 0);
            Frames(0.1);
            byte[] tick = Ticks().First(t => BitConverter.ToInt32(t, 12) == 1);
            Assert.That(BitConverter.ToSingle(tick, 36), Is.EqualTo(9e6f));
            Assert.That(BitConverter.ToSingle(tick, 48), Is.EqualTo(0f));
        }

        [Test]
        public void Two_objects_of_one_name_get_two_ids()
        {
            Assert.That(new[] { Npc("guard").NpcId, Npc("guard").NpcId, Npc("guard").NpcId }, Is.EqualTo(new[] { "guard", "guard:2", "guard:3" }));
        }

        [Test]
        public void An_id_that_is_taken_is_an_error_that_names_the_object()
        {
            Npc("one", id: "same");
            CallsheetNpc two = Npc("two", id: "same");
            Assert.That(Debug.Lines.Single(), Is.StringContaining("'two'").And.StringContaining("'same'"));
            Assert.That(() => two.Say("Hello!"), Throws.InvalidOperationException);
        }

        [Test]
        public void An_npc_that_the_server_refuses_is_one_error_that_names_the_object()
        {
            Npc("bob");
            CallsheetNpc bad = Npc("The bad one");
            CallsheetError why = null;
            bad.Refused += error => why = error;
            RunToConnection();
            Connect();
            Server.SendText("{\"type\":\"error\",\"seq\":1,\"id\":" + Sent("spawn").Single()["id"]
                + ",\"code\":\"unknown_adapter\",\"message\":\"no such adapter\",\"field\":\"npcs.1.adapter\",\"value\":\"\\\"typo\\\"\"}");
            Frames(0.2);
            Assert.That(Debug.Lines.Single(), Is.EqualTo(
                "Error: [Callsheet] NPC 'The bad one' is not in the world: unknown_adapter: no such adapter (adapter: \"typo\")"));
            Assert.That(why.Code, Is.EqualTo(ErrorCode.UnknownAdapter));
            Assert.That(Sent("spawn").Single()["npcs"].Items.Single()["npc"].Text, Is.EqualTo("bob"));
        }

        [Test]
        public void Settings_that_cannot_be_used_are_an_error_and_the_defaults_hold()
        {
            CallsheetSettings settings = ScriptableObject.CreateInstance<CallsheetSettings>();
            settings.ServerUrl = "http://example.com";
            CallsheetSettings.FindInProject = () => settings;
            Npc("bob");
            Assert.That(Debug.Lines.Single(), Is.StringStarting("Error: [Callsheet] the settings cannot be used"));
            PlayerLoop.Frame();
            Assert.That(Server.Url.AbsoluteUri, Is.EqualTo(SessionOptions.DefaultUrl));
        }

        [Test]
        public void A_world_that_is_taken_is_said_once_and_can_be_tried_again()
        {
            Npc("bob");
            PlayerLoop.Frame();
            Server.Accept();
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"error\",\"code\":\"world_taken\",\"message\":\"taken\"}");
            Server.Drop(CloseCodes.WorldTaken);
            Frames(20, 0.1);
            Assert.That(_connections.Count, Is.EqualTo(1));
            Assert.That(Debug.Lines.Single(), Is.StringContaining("another game holds the world 'default'"));
            CallsheetClient.Instance.Reconnect();
            RunToConnection();
            Assert.That(_connections.Count, Is.EqualTo(2));
        }

        [Test]
        public void A_change_of_persona_reaches_the_server()
        {
            CallsheetNpc bob = Alive("bob");
            bob.Persona = "You are rich now.";
            bob.InteractionRadius = 9;
            PlayerLoop.Frame();
            List<JsonValue> updates = Sent("update_npc");
            Assert.That(updates[0]["persona"].Text, Is.EqualTo("You are rich now."));
            Assert.That(updates[1]["interaction_radius_m"].Number, Is.EqualTo(9));
        }

        [Test]
        public void States_colour_the_gizmo()
        {
            CallsheetNpc bob = Alive("bob");
            Server.SendText("{\"type\":\"npc_states\",\"game_time_s\":1,\"part\":0,\"parts\":1,\"npcs\":[{\"npc\":\"bob\",\"handle\":7,"
                + "\"position\":[0,0,0],\"distance_s\":0.0,\"estimator\":\"proximity\",\"tier\":\"device\",\"in_conversation\":false}],\"players\":[]}");
            PlayerLoop.Frame();
            Color color = NpcColors.Of(bob.Npc.LastState);
            Assert.That(color.g, Is.GreaterThan(color.r));
            Assert.That(color.a, Is.EqualTo(1f));
            Assert.That(NpcColors.Of(null).a, Is.LessThan(0.5f));
        }

        [Test]
        public void Frames_of_a_hundred_walking_npcs_allocate_nothing()
        {
            var npcs = new List<CallsheetNpc>();
            for (int i = 0; i < 100; i++)
            {
                npcs.Add(Npc("npc" + i));
            }
            RunToConnection();
            Connect();
            Server.SendText("{\"type\":\"spawned\",\"seq\":1,\"id\":2,\"npcs\":["
                + string.Join(",", npcs.Select((n, i) => "{\"npc\":\"" + n.NpcId + "\",\"handle\":" + i + "}")) + "],\"players\":[]}");
            PlayerLoop.Frame();
            Assert.That(npcs.All(n => n.Npc.IsSpawned));
            Server.DiscardsData = true;
            Action update = Message("Update"), lateUpdate = Message("LateUpdate");
            long ticks = CallsheetClient.Instance.World.TicksSent;
            long before = 0;
            for (int frame = 0; frame < 700; frame++)
            {
                if (frame == 100)
                {
                    before = GC.GetAllocatedBytesForCurrentThread();
                }
                Time.Advance(1.0 / 60);
                for (int i = 0; i < npcs.Count; i++)
                {
                    npcs[i].transform.position = new Vector3(frame * 0.1f, 0, i);
                }
                update();
                lateUpdate();
            }
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.EqualTo(0));
            Assert.That(CallsheetClient.Instance.World.TicksSent - ticks, Is.GreaterThan(100));
        }

        private static IEnumerator Ask(CallsheetNpc npc, Action<string> done)
        {
            Reply reply = npc.Say("Hello!");
            yield return reply;
            done(reply.Text);
        }

        private static Action Message(string name) => (Action)Delegate.CreateDelegate(
            typeof(Action),
            CallsheetClient.Instance,
            typeof(CallsheetClient).GetMethod(name, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic));
    }
}
