using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>A game that plays in the stand-in player loop, and a server in the test's hands.</summary>
    public abstract class PlayingFixture
    {
        private protected static readonly System.Reflection.Assembly Package = typeof(CallsheetClient).Assembly;
        private protected List<InMemoryTransport> _connections;

        [SetUp]
        public void SetUp()
        {
            Debug.Lines.Clear();
            CallsheetSettings.FindInProject = () => null;
            EnterPlayMode();
        }

        [TearDown]
        public void TearDown()
        {
            if (_connections.Count > 0)
            {
                Server.Drop(1000);
            }
            PlayerLoop.Quit();
        }

        private protected InMemoryTransport Server => _connections[_connections.Count - 1];

        private protected void EnterPlayMode()
        {
            PlayerLoop.EnterPlayMode(Package, typeof(PlayingFixture).Assembly);
            var connections = new List<InMemoryTransport>();
            _connections = connections;
            CallsheetClient.TransportFactory = () =>
            {
                connections.Add(new InMemoryTransport());
                return connections[connections.Count - 1];
            };
        }

        /// <summary>As a scene does it: components are set up before they awake.</summary>
        private protected static CallsheetNpc Npc(string name, string persona = "", string id = "")
        {
            var owner = new GameObject(name);
            owner.SetActive(false);
            CallsheetNpc npc = owner.AddComponent<CallsheetNpc>();
            npc.Persona = persona;
            npc.NpcId = id;
            owner.SetActive(true);
            return npc;
        }

        /// <summary>An NPC that the server has spawned; one reliable message has come.</summary>
        private protected CallsheetNpc Alive(string name)
        {
            CallsheetNpc npc = Npc(name);
            RunToConnection();
            Connect();
            long id = Sent("spawn").Single()["id"].Integer.Value;
            Server.SendText("{\"type\":\"spawned\",\"seq\":1,\"id\":" + id + ",\"npcs\":[{\"npc\":\"" + name + "\",\"handle\":7}],\"players\":[]}");
            PlayerLoop.Frame();
            return npc;
        }

        private protected void RunToConnection()
        {
            int before = _connections.Count;
            for (int i = 0; i < 200 && _connections.Count == before; i++)
            {
                PlayerLoop.Frame(0.1);
            }
        }

        private protected void Connect()
        {
            if (_connections.Count == 0)
            {
                PlayerLoop.Frame();
            }
            Server.Accept();
            PlayerLoop.Frame();
            Server.SendText(Rig.WelcomeText());
            PlayerLoop.Frame();
        }

        private protected void Answer()
        {
            PlayerLoop.Frame();
            string about = "\"id\":" + Sent("say").Single()["id"].Integer + ",\"reply\":1,";
            Server.SendText("{\"type\":\"reply_start\",\"seq\":2," + about + "\"npc\":\"bob\",\"speaker\":{\"kind\":\"narrator\"},\"heard\":\"Hello!\"}");
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"reply_delta\",\"seq\":3," + about + "\"text\":\"Good \"}");
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"reply_delta\",\"seq\":4," + about + "\"text\":\"day.\"}");
            PlayerLoop.Frame();
            Server.SendText("{\"type\":\"reply_end\",\"seq\":5," + about + "\"npc\":\"bob\",\"text\":\"Good day.\",\"finish_reason\":\"stop\"}");
            PlayerLoop.Frame();
        }

        private protected static async void Await(CallsheetNpc npc, Action done)
        {
            await npc.Say("Hello!");
            done();
        }

        private protected static void Frames(double seconds, double each = 1.0 / 60)
        {
            for (double t = 0; t < seconds; t += each)
            {
                PlayerLoop.Frame(each);
            }
        }

        private readonly List<byte[]> _ticks = new List<byte[]>();

        private protected List<JsonValue> Sent()
        {
            var sent = new List<JsonValue>();
            while (Server.TryTakeSent(out Callsheet.Core.Frame frame))
            {
                if (frame.Kind == FrameKind.Text)
                {
                    sent.Add(Rig.Parse(frame.Data));
                }
                else
                {
                    _ticks.Add(frame.Data.Array);
                }
            }
            return sent;
        }

        private protected List<JsonValue> Sent(string type) => Sent().FindAll(m => m["type"].Text == type);

        private protected List<byte[]> Ticks()
        {
            Sent();
            var ticks = new List<byte[]>(_ticks);
            _ticks.Clear();
            return ticks;
        }
    }
}
