namespace UnityEngine.EventSystems
{
    public abstract class UIBehaviour : MonoBehaviour
    {
    }

    public abstract class BaseInputModule : UIBehaviour
    {
    }

    public class EventSystem : UIBehaviour
    {
        public static EventSystem current => FindObjectOfType<EventSystem>();
    }
}
