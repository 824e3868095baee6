using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>The client in a player loop: scenes, domain reloads, quits, what it says in the console.</summary>
    public class ClientTests : PlayingFixture
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
    }
}
