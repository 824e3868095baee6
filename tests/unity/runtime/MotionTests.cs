using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using NUnit.Framework;
using UnityEngine;

namespace Callsheet.Tests
{
    /// <summary>Transforms become positions in ticks, and what is nowhere harms nobody else.</summary>
    public class MotionTests : PlayingFixture
    {
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

        private static Action Message(string name) => (Action)Delegate.CreateDelegate(
            typeof(Action),
            CallsheetClient.Instance,
            typeof(CallsheetClient).GetMethod(name, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic));
    }
}
