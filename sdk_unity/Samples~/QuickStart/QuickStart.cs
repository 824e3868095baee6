using UnityEngine;

namespace Callsheet.Samples
{
    /// <summary>Builds a scene with one NPC and one player, and a line to type what the player says.</summary>
    public sealed class QuickStart : MonoBehaviour
    {
        [TextArea(3, 10)]
        [SerializeField]
        private string persona = "You are Bob, the baker of a small town. You are friendly, proud of your bread, and you answer in one or two sentences.";

        private CallsheetNpc _bob;
        private string _line = "Good morning! What is fresh today?";

        private void Awake()
        {
            Stage.Build(new Vector3(0f, 2f, -6f), new Vector3(0f, 1f, 0f));
            Body("Ann", PrimitiveType.Capsule, new Vector3(-1.5f, 1f, 0f)).AddComponent<CallsheetPlayer>();

            GameObject body = Body("Bob", PrimitiveType.Capsule, new Vector3(1.5f, 1f, 0f));
            // An inactive object is not told to the server yet: first write who it is.
            body.SetActive(false);
            _bob = body.AddComponent<CallsheetNpc>();
            _bob.Persona = persona;
            body.AddComponent<ChatBubble>();
            body.SetActive(true);
        }

        private void OnGUI()
        {
            GUILayout.BeginArea(new Rect(10, Screen.height - 40, Screen.width - 20, 30));
            GUILayout.BeginHorizontal();
            _line = GUILayout.TextField(_line, GUILayout.Width(Screen.width - 120));
            if (GUILayout.Button("Say", GUILayout.Width(80)) && _line.Length > 0)
            {
                _bob.Say(_line);
                _line = "";
            }
            GUILayout.EndHorizontal();
            GUILayout.EndArea();
        }

        private static GameObject Body(string name, PrimitiveType shape, Vector3 position)
        {
            GameObject body = GameObject.CreatePrimitive(shape);
            body.name = name;
            body.transform.position = position;
            return body;
        }
    }
}
